// Ending what was started.

/** Steps that end things: run last first, whatever fails on the way. `run` throws all failures as one AggregateError. */
export class Undo {
  readonly #steps: (() => unknown)[] = []

  add(step: () => unknown): void {
    this.#steps.unshift(step)
  }

  async run(): Promise<void> {
    const failures: unknown[] = []
    for (const step of this.#steps.splice(0))
      try {
        await step()
      } catch (error) {
        failures.push(error)
      }
    if (failures.length > 0) throw new AggregateError(failures, 'not everything could be ended')
  }
}
