const LISTED_PROBLEMS = 100;

type Damage = 'missing' | 'doubled' | 'unexpected' | 'altered';

/** What is wrong with a database, by keys and never by values. */
export class Findings {
  readonly problems: string[] = [];
  readonly #subjects: Record<Damage, Set<string>> = {
    missing: new Set(),
    doubled: new Set(),
    unexpected: new Set(),
    altered: new Set(),
  };

  /** One subject counts once for each kind, whatever else is wrong with it. */
  add(kind: Damage, problem: string, subject = problem): void {
    this.#subjects[kind].add(subject);
    if (this.problems.length < LISTED_PROBLEMS) this.problems.push(`${kind}: ${problem}`);
  }

  get none(): boolean {
    return Object.values(this.#subjects).every((subjects) => subjects.size === 0);
  }

  counts(): Record<Damage, number> {
    return {
      missing: this.#subjects.missing.size,
      doubled: this.#subjects.doubled.size,
      unexpected: this.#subjects.unexpected.size,
      altered: this.#subjects.altered.size,
    };
  }
}
