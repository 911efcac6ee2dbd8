/** Where a server is reached: as the user wrote it, or as its cloud says. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** How to log in to one MySQL server. Holds a resolved secret: never put it into a history or a log. */
export interface Endpoint extends Address {
  readonly user: string;
  readonly password: string;
  /** Instead of the password: made anew for each login, sent as it is, so only over verified TLS. */
  readonly token?: () => Promise<string>;
  readonly tls: TlsSettings;
}

export type TlsSettings =
  /** `ca` is PEM text; without it the system's authorities count. The host name is verified. */
  | { readonly mode: 'verify-identity'; readonly ca?: string }
  /**
   * The authority alone: for an application that reaches its server by an alias of its own, which no
   * vendor's certificate names. Never Skyferry's own way.
   */
  | { readonly mode: 'verify-ca'; readonly ca: string }
  | { readonly mode: 'disabled' };

/** For messages: never the password. */
export function describeEndpoint({ host, port, user }: Endpoint): string {
  return `${user}@${host}:${port}`;
}
