import { askAzure, azureErrorCode, isAzureNotFound } from '../../clouds/azure/errors.ts';
import { canonicalName } from '../../clouds/dns/ask.ts';
import { SkyferryFailure } from '../../failures.ts';
import type { CnameRecord } from './cname-record.ts';
import { markText, readMark, spelledLike } from './cname-record.ts';

/** A record set of type CNAME as either of the SDKs has it. */
export interface AzureCname {
  readonly etag?: string;
  readonly metadata?: Record<string, string>;
  readonly ttl?: number;
  readonly cnameRecord?: { cname?: string };
  readonly targetResource?: { id?: string };
  readonly isAutoRegistered?: boolean;
}

/** What differs between public and private zones: the client, and the order of its arguments. */
export interface AzureRecordSets {
  readonly what: string;
  readonly get: (options: { abortSignal: AbortSignal }) => Promise<AzureCname>;
  /** Replaces the whole record set. */
  readonly put: (
    set: Required<Pick<AzureCname, 'ttl' | 'metadata' | 'cnameRecord'>>,
    options: { abortSignal: AbortSignal; ifMatch: string },
  ) => Promise<unknown>;
  readonly served: CnameRecord<AzureCname>['served'];
}

/** Key of the record set's metadata, there while the TTL is lowered. */
const MARK = 'skyferryFormerTtl';

/** The etag tells whether it is still what was read; the metadata holds the former TTL. */
export function azureCname({ what, get, put, served }: AzureRecordSets): CnameRecord<AzureCname> {
  const refuse = (why: string, next: string): SkyferryFailure =>
    new SkyferryFailure('SWITCH_FAILED', `${what}: ${why}`, { safe: 'the record is unchanged', next }); // prettier-ignore

  return {
    what,
    served,
    async read(signal) {
      const set = await askAzure(`read ${what}`, signal, async (options) => {
        try {
          return await get(options);
        } catch (error) {
          if (!isAzureNotFound(error)) throw error;
          throw refuse(
            azureErrorCode(error) === 'ParentResourceNotFound'
              ? 'there is no such zone'
              : 'there is no CNAME of that name',
            'correct `resourceGroup`, `zone` and `record`; only a CNAME can be switched, no A, AAAA or other record',
          );
        }
      });
      if (set.targetResource?.id !== undefined) {
        throw refuse(
          'is an alias record (targetResource), which has no value of its own',
          'give the application a CNAME with a value, or switch this one by hand',
        );
      }
      if (set.isAutoRegistered === true || set.cnameRecord?.cname === undefined) {
        throw refuse('is not a CNAME with a value', 'give the application one of its own');
      }
      return {
        value: canonicalName(set.cnameRecord.cname),
        ttl: set.ttl ?? 0,
        lowered: readMark(set.metadata?.[MARK]),
        version: set,
      };
    },
    async replace({ version: { etag, metadata = {}, cnameRecord } }, next, signal) {
      // Without it the change would be made whatever has happened since.
      if (etag === undefined) throw refuse('has no etag', 'look at the record in Azure');
      const { [MARK]: _, ...others } = metadata;
      const set = {
        ttl: next.ttl,
        metadata: { ...others, ...(next.lowered !== null && { [MARK]: markText(next.lowered) }) },
        cnameRecord: { cname: spelledLike(cnameRecord?.cname, next.value) },
      };
      return await askAzure(`change ${what}`, signal, async (options) => {
        try {
          await put(set, { ...options, ifMatch: etag });
          return 'done';
        } catch (error) {
          if (azureErrorCode(error) === 'PreconditionFailed' || isAzureNotFound(error))
            return 'stale';
          throw error;
        }
      });
    },
  };
}
