import { SkyferryFailure } from '../../failures.ts';
import type { Act } from '../act.ts';
import { attachGroupAct } from './attach-group.ts';
import { backupRetentionAct } from './backup-retention.ts';
import { modeOfName } from './gtid-stages.ts';
import { gtidModeAct, parameterGroupAct } from './parameter-group.ts';
import { rebootAct } from './reboot.ts';
import type { RdsSource, SourceInput } from './source.ts';
import { openSource } from './source.ts';

/** One of the acts that surveySource planned, by its name. */
export function sourceAct(name: string, input: SourceInput): Act {
  const make = factory(name);
  const act = async () => make(await openSource(input));
  return {
    begin: async (signal) => await (await act()).begin(signal),
    complete: async (begun, waiting) => await (await act()).complete(begun, waiting),
  };
}

function factory(name: string): (source: RdsSource) => Act {
  switch (name) {
    case 'aws/backup-retention':
      return backupRetentionAct;
    case 'aws/parameter-group':
      return parameterGroupAct;
    case 'aws/attach-parameter-group':
      return attachGroupAct;
    case 'aws/reboot':
      return rebootAct;
  }
  const [, kind, modeText = ''] = name.split('/');
  const mode = modeOfName(modeText);
  if (mode !== undefined && kind === 'gtid-mode') return (source) => gtidModeAct(source, mode);
  if (mode !== undefined && kind === 'reboot') return rebootAct;
  throw new SkyferryFailure('INTERNAL', `no act of a source in RDS is called ${name}`);
}
