import type { Instance, Rds } from './state.ts';
import { arn } from './state.ts';
import { grantDefiners, serverId, serverSpec, setMasterPassword } from './server.ts';
import { applyAgain, applyDynamic, takeForStart } from './server-values.ts';

/** What takes minutes there takes as long here as it takes to be seen. */
const STEP_MS = 350;

/** Carries out what was accepted, one thing after the other for each instance. */
export class RdsTasks {
  readonly #rds: Rds;
  readonly #turns = new Map<string, Promise<void>>();

  constructor(rds: Rds) {
    this.#rds = rds;
  }

  /** Takes up again what the end of the former process left half done. */
  async resume(): Promise<void> {
    const { store } = this.#rds;
    for (const instance of Object.values(store.value.instances)) {
      if (instance.task !== null) this.start(instance);
      else if (instance.status === 'available' && this.#hasServer(instance)) {
        await applyAgain(this.#rds, instance);
        this.applyParameters(instance);
      }
    }
  }

  /** `instance.task` says what; it is on disk already. */
  start(instance: Instance): void {
    this.#inTurn(instance, () => this.#carryOut(instance));
  }

  /** Dynamic parameters of its group changed. */
  applyParameters(instance: Instance): void {
    this.#inTurn(instance, async () => {
      if (instance.status !== 'available') return;
      await pause(STEP_MS);
      if (this.#hasServer(instance)) await applyDynamic(this.#rds, instance);
      instance.applying = false;
      await this.#rds.store.save();
    });
  }

  /** Settled, whatever came of it. */
  async idle(): Promise<void> {
    await Promise.all(this.#turns.values());
  }

  #inTurn(instance: Instance, act: () => Promise<void>): void {
    const former = this.#turns.get(instance.id) ?? Promise.resolve();
    const turn = former.then(act).catch(async (error: unknown) => {
      process.stderr.write(`rds ${instance.id}: ${String(error)}\n`);
      instance.status = 'failed';
      instance.applying = false;
      instance.task = null;
      await this.#rds.store.save();
    });
    this.#turns.set(instance.id, turn);
  }

  async #carryOut(instance: Instance): Promise<void> {
    await pause(STEP_MS);
    if (instance.failing) {
      const status = instance.task === 'create' ? 'failed' : 'incompatible-parameters';
      await this.#finish(instance, status);
      return;
    }
    switch (instance.task) {
      case 'create':
        await this.#create(instance);
        break;
      case 'modify':
        await this.#modify(instance);
        break;
      case 'reboot':
        await this.#restart(instance);
        break;
      case 'delete':
        await this.#remove(instance);
        return;
      case 'attach':
        // Its values wait for a reboot.
        break;
      case null:
        return;
    }
    await this.#finish(instance, 'available');
  }

  async #create(instance: Instance): Promise<void> {
    const flags = takeForStart(this.#rds, instance);
    await this.#rds.context.servers.create(serverSpec(this.#rds, instance, flags));
    await grantDefiners(this.#rds, instance);
    instance.masterPassword = null;
    if (instance.retention > 0) await this.#backUp(instance);
  }

  /** Everything that is pending, whoever asked for it and when. */
  async #modify(instance: Instance): Promise<void> {
    const { pending } = instance;
    const logs = instance.retention > 0;
    const restarts = needsRestart(instance);
    instance.class = pending.class ?? instance.class;
    instance.version = pending.version ?? instance.version;
    instance.storage = pending.storage ?? instance.storage;
    instance.storageType = pending.storageType ?? instance.storageType;
    instance.iops = pending.iops ?? instance.iops;
    instance.multiAz = pending.multiAz ?? instance.multiAz;
    instance.retention = pending.retention ?? instance.retention;
    if (pending.masterPassword !== undefined && this.#hasServer(instance)) {
      await setMasterPassword(this.#rds, instance, pending.masterPassword);
    }
    if (restarts) await this.#restart(instance);
    if (!logs && instance.retention > 0) await this.#backUp(instance);
    instance.pending = {};
  }

  async #restart(instance: Instance): Promise<void> {
    const flags = takeForStart(this.#rds, instance);
    if (!this.#hasServer(instance)) return;
    await this.#rds.context.servers.restart(serverId(instance), flags);
  }

  /** A read replica is there to be listed. */
  #hasServer(instance: Instance): boolean {
    return this.#rds.context.servers.has(serverId(instance));
  }

  async #backUp(instance: Instance): Promise<void> {
    instance.status = 'backing-up';
    await this.#rds.store.save();
    await pause(STEP_MS);
  }

  async #remove(instance: Instance): Promise<void> {
    const { store, context } = this.#rds;
    await context.servers.remove(serverId(instance));
    delete store.value.tags[arn(this.#rds, 'db', instance.id)];
    delete store.value.instances[instance.id];
    await store.save();
  }

  async #finish(instance: Instance, status: string): Promise<void> {
    instance.status = status;
    instance.task = null;
    instance.failing = false;
    instance.applying = false;
    await this.#rds.store.save();
  }
}

/** Those that RDS restarts the server for; turning backups on or off is one of them. */
export function needsRestart({ pending, retention }: Instance): boolean {
  const next = pending.retention ?? retention;
  return pending.class !== undefined || pending.version !== undefined || retention > 0 !== next > 0;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
