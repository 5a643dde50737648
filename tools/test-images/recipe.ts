/** How a stand-in for an image of Docker Hub is made out of Debian packages. */
export interface Recipe {
  /** Repositories and tags below docker.io under which it is pushed; the first is used in messages. */
  readonly names: readonly string[];
  /** Debian packages that are unpacked, with all that they depend on less {@link notNeeded}. */
  readonly packages: readonly string[];
  /** Folders to make, beside those that the packages bring, with owner and mode. */
  readonly folders?: Readonly<Record<string, { readonly mode: number; readonly owner?: number }>>;
  /** Files to write; those with a `#!` are made executable. */
  readonly files?: Readonly<Record<string, string>>;
  readonly links?: Readonly<Record<string, string>>;
  /** The `config` of the OCI image configuration, as the image on Docker Hub has it. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** Packages that the dependencies name but no program in an image needs: those that install packages and users. */
export const notNeeded: readonly RegExp[] = [
  /^(?:adduser|debconf|dpkg|gcc-12-base|init-system-helpers|lsb-base|passwd|sysvinit-utils|tar|usrmerge)$/,
  /^(?:iproute2|libbpf1|libcap2-bin|libelf1|libmnl0|libxtables12)$/,
  /^(?:perl|libperl|libfile-find-rule-perl|libnumber-compare-perl|libtext-glob-perl|libgdbm)/,
  /^(?:libaudit|libcap-ng0|libpam|libsemanage|libsepol)/,
];

/** Folders of packages that only people read. */
export const notKept: readonly string[] = [
  "usr/share/bug",
  "usr/share/doc",
  "usr/share/info",
  "usr/share/lintian",
  "usr/share/locale",
  "usr/share/man",
];
