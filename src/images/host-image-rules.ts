/**
 * What a container on the host image sees of this machine. Written as a list of what is shown, not of what is
 * hidden: whatever else stands in `/`, now or later, is not there for the container.
 */

/** Folders of `/` shown as they are, read-only, less {@link secretNames} and all that not everybody may read. */
export const shownFolders = ["usr", "opt", "bin", "sbin", "lib", "lib32", "lib64", "libx32"] as const;

/** Empty folders made for the container, with their modes. `/etc` is a copy and made apart. */
export const emptyFolders: Readonly<Record<string, number>> = {
  dev: 0o755,
  home: 0o755,
  media: 0o755,
  mnt: 0o755,
  proc: 0o555,
  root: 0o700,
  run: 0o755,
  srv: 0o755,
  sys: 0o555,
  tmp: 0o1777,
  var: 0o755,
  "var/cache": 0o755,
  "var/lib": 0o755,
  "var/log": 0o755,
  "var/mail": 0o2775,
  "var/spool": 0o755,
  "var/tmp": 0o1777,
};

/** Symbolic links that every distribution has. */
export const links: Readonly<Record<string, string>> = { "var/run": "/run", "var/lock": "/run/lock" };

/** Folders whose own folders are made too, empty, so that installed programs (nginx, redis) find theirs. */
export const outlinedFolders = ["var/cache", "var/lib", "var/log"] as const;

/** Files and folders that hold secrets whatever their mode is, by name, anywhere in what is shown or copied. */
export const secretNames: readonly string[] = [
  ".aws",
  ".azure",
  ".config",
  ".docker",
  ".env",
  ".git-credentials",
  ".gnupg",
  ".kube",
  ".netrc",
  ".npmrc",
  ".pgpass",
  ".pypirc",
  ".ssh",
  "auth.json",
  "id_dsa",
  "id_ecdsa",
  "id_ed25519",
  "id_rsa",
];

/** The same below /etc, by path. `*` stands for any run of characters but a slash. */
const secretPathsInEtc = [
  "*.keytab",
  "*shadow*",
  "NetworkManager/system-connections",
  "boto.cfg",
  "cloud",
  "cni",
  "containerd",
  "containers",
  "credstore*",
  "crio",
  "crypttab",
  "docker",
  "environment",
  "fstab",
  "git*",
  "google*",
  "ipsec*",
  "kubernetes",
  "letsencrypt",
  "machine-id",
  "netplan",
  "npmrc",
  "openvpn",
  "peapod",
  "pip.conf",
  "pki/tls/private",
  "ppp",
  "rancher",
  "samba",
  "security/opasswd*",
  "ssh",
  "ssl/private",
  "sudoers*",
  "waagent.conf",
  "wireguard",
  "wpa_supplicant",
].map((path) => new RegExp(`^${path.replace(/[.+?^$(){}|[\]\\]/g, "\\$&").replaceAll("*", "[^/]*")}$`));

/** Whether a path below /etc (without leading slash) stays out of the copy whatever its mode is. */
export function isSecretInEtc(path: string): boolean {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return (
    secretNames.includes(name) ||
    /\.(?:key|p12|pfx|jks|keystore)$/i.test(name) ||
    secretPathsInEtc.some((pattern) => pattern.test(path))
  );
}
