import { expect, test } from 'vitest';
import type { ParameterView } from '../../../src/clouds/azure/flexible-server.ts';
import type { SourceFacts } from '../../../src/prepare/source-facts.ts';
import {
  differing,
  finalValues,
  lastingDifferences,
  loadValues,
  refusedByAzure,
  runValues,
} from '../../../src/prepare/target/parameters.ts';
import { azureTarget } from '../../../src/prepare/target/target.ts';
import { targetTimeZone, timeZoneFindings } from '../../../src/prepare/target/time-zone.ts';
import { azureConfig } from './config.ts';

function parameter(value: string, others: Partial<ParameterView> = {}): ParameterView {
  return {
    value,
    defaultValue: value,
    isReadOnly: false,
    isDynamic: true,
    isPendingRestart: false,
    allowed: '',
    ...others,
  };
}

const onOff = { allowed: 'ON,OFF' };
const listed = new Map<string, ParameterView>([
  ['sql_mode', parameter('STRICT_TRANS_TABLES', { allowed: 'ANSI_QUOTES,STRICT_TRANS_TABLES,NO_ZERO_DATE' })], // prettier-ignore
  ['time_zone', parameter('SYSTEM', { allowed: '[+|-][0]{0,1}[0-9]:[0-5][0-9]|SYSTEM' })],
  ['max_allowed_packet', parameter('16777216', { allowed: '1024-1073741824' })],
  ['local_infile', parameter('OFF', onOff)],
  ['log_bin_trust_function_creators', parameter('OFF', onOff)],
  ['event_scheduler', parameter('OFF', onOff)],
  ['innodb_io_capacity', parameter('200', { allowed: '100-1500' })],
  ['innodb_strict_mode', parameter('ON', { isReadOnly: true })],
  ['max_connections', parameter('2731', { allowed: '10-5461', defaultValue: '1365' })],
  ['binlog_row_image', parameter('MINIMAL', { allowed: 'FULL,MINIMAL,NOBLOB' })],
]);

const source: SourceFacts = {
  version: '5.7.44',
  sizeBytes: 0,
  variables: {
    sql_mode: 'NO_ZERO_DATE,NO_AUTO_CREATE_USER',
    time_zone: 'Asia/Seoul',
    system_time_zone: 'UTC',
    max_allowed_packet: '67108864',
    event_scheduler: 'ON',
    log_bin_trust_function_creators: 'OFF',
    innodb_strict_mode: 'OFF',
    max_connections: '900',
  },
};
const target = azureTarget(azureConfig());
const resting = { target, source, listed, former: null, memoryMb: null };

test('for the load the target gets the source’s modes, what the engine needs, and nothing that Azure lacks or fixes', () => {
  expect(loadValues({ target, source, listed })).toEqual({
    // NO_AUTO_CREATE_USER is unknown to 8.0.
    sql_mode: 'NO_ZERO_DATE',
    // Its clocks do not change any more; the name would be unknown.
    time_zone: '+09:00',
    binlog_row_image: 'FULL',
    max_allowed_packet: '1073741824',
    local_infile: 'ON',
    log_bin_trust_function_creators: 'ON',
    event_scheduler: 'OFF',
    innodb_io_capacity: '1500',
  });
});

test('only what differs is left to send, whatever the spelling', () => {
  const values = { local_infile: '0', sql_mode: 'strict_trans_tables', event_scheduler: 'ON' };
  expect(differing(values, listed)).toEqual({ event_scheduler: 'ON' });
});

test('before the window the load’s speed goes, after the switch what the engine needed', () => {
  expect(runValues(resting)).toEqual({ innodb_io_capacity: '200' });
  expect(finalValues(resting)).toEqual({
    max_allowed_packet: '67108864',
    local_infile: 'OFF',
    log_bin_trust_function_creators: 'OFF',
    event_scheduler: 'ON',
  });
});

test('events run on the target after the switch, though the fence has stopped them on the source', () => {
  const variables = { ...resting.source?.variables, event_scheduler: 'OFF' };
  const fenced = { ...resting, source: { ...resting.source, variables } };
  expect(finalValues({ ...fenced, eventsRan: true })).toMatchObject({ event_scheduler: 'ON' });
  expect(finalValues(fenced)).not.toMatchObject({ event_scheduler: 'ON' });
});

test('on a server that existed former values come back, the packet never below the source’s', () => {
  const former = { max_allowed_packet: '33554432', local_infile: 'ON' };
  expect(finalValues({ ...resting, former })).toMatchObject({
    max_allowed_packet: '67108864',
    local_infile: 'ON',
  });
});

test('and what it had before, and the load did not have to change, is left as it is', () => {
  const own = new Map(listed)
    .set('local_infile', parameter('ON', { ...onOff, defaultValue: 'OFF' }))
    .set('innodb_io_capacity', parameter('1500', { allowed: '100-1500', defaultValue: '200' }))
    .set('max_allowed_packet', parameter('1073741824', { defaultValue: '16777216' }));
  const existing = { ...resting, listed: own, former: {} };
  expect(differing(loadValues(existing), own)).not.toHaveProperty('local_infile');
  expect(runValues(existing)).toEqual({});
  expect(finalValues(existing)).toEqual({ event_scheduler: 'ON' });
});

test('what the smaller size cannot hold is brought down first', () => {
  expect(runValues({ ...resting, memoryMb: 8192 })).toMatchObject({ max_connections: '1365' });
  expect(runValues({ ...resting, memoryMb: 32_768 })).not.toHaveProperty('max_connections');
});

test('what stays different is said with the reason', () => {
  expect(lastingDifferences(resting)).toEqual([
    expect.objectContaining({ parameter: 'sql_mode', target: 'NO_ZERO_DATE' }),
    { parameter: 'innodb_strict_mode', source: 'OFF', target: 'OFF', why: 'fixed on Azure' },
    expect.objectContaining({ parameter: 'time_zone', source: 'Asia/Seoul', target: '+09:00' }),
    { parameter: 'max_connections', source: '900', target: '2731', why: 'bounded by the SKU’s memory' }, // prettier-ignore
  ]);
});

test('a parameter of the user’s that Azure would refuse is found before anything is sent', () => {
  const asked = azureTarget(azureConfig({ parameters: { innodb_strict_mode: 'OFF', nonsense: '1', event_scheduler: 'MAYBE' } })); // prettier-ignore
  expect(refusedByAzure(asked, listed)).toEqual([
    { name: 'innodb_strict_mode', why: 'fixed on Azure' },
    { name: 'nonsense', why: 'Azure has no such server parameter' },
    { name: 'event_scheduler', why: 'Azure allows ON,OFF' },
  ]);
});

test('a zone that is no offset for certain is left to the user, with a warning', () => {
  const of = (time_zone: string, system_time_zone = 'UTC') => ({
    ...source,
    variables: { time_zone, system_time_zone },
  });
  expect(targetTimeZone(of('SYSTEM'))).toBe('+00:00');
  expect(targetTimeZone(of('-03:00'))).toBe('-03:00');
  expect(targetTimeZone(of('SYSTEM', 'KST'))).toBeNull();
  expect(targetTimeZone(of('Europe/Berlin'))).toBeNull();
  expect(timeZoneFindings(of('Europe/Berlin'), undefined)).toMatchObject([
    { code: 'azure-time-zone', severity: 'warning' },
  ]);
  expect(timeZoneFindings(of('Europe/Berlin'), '+01:00')).toEqual([]);
});
