// oxlint-disable-next-line import/no-unassigned-import -- @peculiar/x509 does not load without the polyfill
import 'reflect-metadata';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { randomBytes, webcrypto } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
export const CERTIFICATE_FILE = 'server-cert.pem';
export const KEY_FILE = 'server-key.pem';
export const AUTHORITY_FILE = 'ca.pem';

export interface Authority {
  /** PEM; what clients are to trust. */
  readonly certificate: string;
  /** @param names DNS names for the subject alternative names; the first is the subject too */
  issue(names: readonly [string, ...string[]]): Promise<{ certificate: string; key: string }>;
}

/** An authority that lives in memory only: what it signed once is all that it ever signs. */
export async function createAuthority(name: string): Promise<Authority> {
  return (await createLastingAuthority(name)).authority;
}

/** @returns with the authority its private key as PEM, for `openAuthority` */
export async function createLastingAuthority(
  name: string,
): Promise<{ authority: Authority; key: string }> {
  const keys = await generateKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    ...validity(),
    name: `CN=${name}`,
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const key = pem('PRIVATE KEY', await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  return { authority: authorityOf(certificate, keys.privateKey), key };
}

/** What `createLastingAuthority` made. */
export async function openAuthority(certificate: string, key: string): Promise<Authority> {
  const der = Buffer.from(key.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
  const signingKey = await webcrypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']);
  return authorityOf(new X509Certificate(certificate), signingKey);
}

function authorityOf(certificate: X509Certificate, signingKey: webcrypto.CryptoKey): Authority {
  return {
    certificate: certificate.toString('pem'),
    issue: async (names) => {
      const serverKeys = await generateKeys();
      const issued = await X509CertificateGenerator.create({
        ...validity(),
        subject: `CN=${names[0]}`,
        issuer: certificate.subject,
        publicKey: serverKeys.publicKey,
        signingKey,
        signingAlgorithm: algorithm,
        extensions: [
          new BasicConstraintsExtension(false, undefined, true),
          new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
          new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
          new SubjectAlternativeNameExtension(
            names.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })),
          ),
        ],
      });
      const key = await webcrypto.subtle.exportKey('pkcs8', serverKeys.privateKey);
      return { certificate: issued.toString('pem'), key: pem('PRIVATE KEY', key) };
    },
  };
}

/** Issues a server's certificate into its folder, with the authority's: mysqld checks its own against it. */
export async function writeServerCertificate(
  authority: Authority,
  names: readonly [string, ...string[]],
  folder: string,
): Promise<void> {
  const { certificate, key } = await authority.issue(names);
  await writeFile(join(folder, CERTIFICATE_FILE), certificate, { mode: 0o600 });
  await writeFile(join(folder, KEY_FILE), key, { mode: 0o600 });
  await writeFile(join(folder, AUTHORITY_FILE), authority.certificate, { mode: 0o600 });
}

/** mysqld's flags for what `writeServerCertificate` wrote. */
export function serverCertificateFlags(folder: string): string[] {
  return [
    `--ssl-ca=${join(folder, AUTHORITY_FILE)}`,
    `--ssl-cert=${join(folder, CERTIFICATE_FILE)}`,
    `--ssl-key=${join(folder, KEY_FILE)}`,
  ];
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

function validity() {
  const now = Date.now();
  return {
    serialNumber: `01${randomBytes(15).toString('hex')}`,
    notBefore: new Date(now - DAY_MS),
    notAfter: new Date(now + 365 * DAY_MS),
  };
}

function pem(label: string, der: ArrayBuffer): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
