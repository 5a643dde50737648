import { X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import type { Scope } from "../base/scope.ts";
import { runCommand } from "./command.ts";

/** A certificate and its private key as PEM files; the key is readable by its owner only. */
export interface KeyPairFiles {
  readonly certificate: string;
  readonly key: string;
}

/** What a certificate says and for whom. */
export interface CertificateRequest {
  /** Name of the two files, without ending. */
  readonly name: string;
  /** Distinguished name as openssl-req(1) takes it: `/O=system:masters/CN=admin`. */
  readonly subject: string;
  readonly days: number;
  /** `DNS:localhost,IP:127.0.0.1`; absent for clients. */
  readonly alternativeNames?: string;
  readonly usage: "authority" | "server" | "client";
}

/** A certificate is made anew when it would end within this time. */
const renewalMilliseconds = 30 * 24 * 3_600_000;

const extensions: Record<CertificateRequest["usage"], string[]> = {
  authority: ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"],
  server: ["basicConstraints=critical,CA:FALSE", "extendedKeyUsage=serverAuth"],
  client: ["basicConstraints=critical,CA:FALSE", "extendedKeyUsage=clientAuth"],
};

/**
 * The certificate in `folder`, made by openssl(1) (P-256) when it is not there, ends within 30 days, was signed by
 * another authority or lacks one of the alternative names. `authority` signs it; absent: it signs itself. Idempotent; a call that was cut off half-way
 * leaves nothing that a later one takes for whole.
 */
export async function ensureCertificate(
  folder: string,
  request: CertificateRequest,
  authority: KeyPairFiles | undefined,
  scope: Scope,
): Promise<KeyPairFiles> {
  const files = {
    certificate: join(folder, `${request.name}.crt`),
    key: join(folder, `${request.name}.key`),
  };
  if (isUsable(files, request, authority, scope.clock.now())) return files;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const made = { certificate: `${files.certificate}.new`, key: `${files.key}.new` };
  const added = [...extensions[request.usage], ...alternativeNames(request)].flatMap((line) => [
    "-addext",
    line,
  ]);
  const signer = authority === undefined ? [] : ["-CA", authority.certificate, "-CAkey", authority.key];
  const args = [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-sha256"],
    ...["-subj", request.subject, "-days", String(request.days), ...signer, ...added],
    ...["-keyout", made.key, "-out", made.certificate],
  ];
  await runCommand("openssl", args, {}, scope);
  // The certificate last: its presence says that both are there.
  renameSync(made.key, files.key);
  renameSync(made.certificate, files.certificate);
  return files;
}

function alternativeNames({ alternativeNames: names }: CertificateRequest): string[] {
  return names === undefined ? [] : [`subjectAltName=${names}`];
}

function isUsable(
  files: KeyPairFiles,
  request: CertificateRequest,
  authority: KeyPairFiles | undefined,
  now: number,
): boolean {
  if (!existsSync(files.certificate) || !existsSync(files.key)) return false;
  const certificate = new X509Certificate(readFileSync(files.certificate));
  if (certificate.validToDate.getTime() - now < renewalMilliseconds) return false;
  const names = request.alternativeNames?.split(",") ?? [];
  if (!names.every((name) => isFor(certificate, name))) return false;
  if (authority === undefined) return true;
  return certificate.verify(new X509Certificate(readFileSync(authority.certificate)).publicKey);
}

function isFor(certificate: X509Certificate, alternativeName: string): boolean {
  const [type, ...rest] = alternativeName.split(":");
  const value = rest.join(":");
  return (type === "IP" ? certificate.checkIP(value) : certificate.checkHost(value)) !== undefined;
}
