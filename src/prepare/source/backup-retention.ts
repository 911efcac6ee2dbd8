import type { Act } from '../act.ts';
import { untilServerSays } from './await-server.ts';
import { alreadySo, begun } from './begun.ts';
import { requireQuiet } from './look.ts';
import { BACKUP_DAYS } from './plan-acts.ts';
import type { RdsSource } from './source.ts';
import { requireView } from './source.ts';

/** Automated backups on, and with them the binlog: an outage that RDS begins at once. */
export function backupRetentionAct(source: RdsSource): Act {
  const { api, server } = source;
  return {
    begin: async (signal) => {
      const { instance, status } = await requireView(source, signal);
      if ((instance.BackupRetentionPeriod ?? 0) > 0) return alreadySo;
      const days = instance.PendingModifiedValues?.BackupRetentionPeriod ?? 0;
      // Sent before, by a worker that did not live to say so.
      if (days > 0 && status !== 'available') return begun(`backups ${days}`);
      requireQuiet(source, await requireView(source, signal));
      await api.setBackupRetention(server.id, BACKUP_DAYS, signal);
      return begun(`backups ${BACKUP_DAYS}`);
    },
    complete: async (_, waiting) => {
      await untilServerSays(
        source,
        ({ logBin }, { instance }) => {
          if ((instance.BackupRetentionPeriod ?? 0) === 0) return 'backups are not on yet';
          return logBin ? null : 'backups are on, and log_bin is still OFF';
        },
        waiting,
      );
      return { note: `${server.id} keeps backups, and its server says log_bin=ON` };
    },
  };
}
