// Clean-up steps of a tool.

/** Clean-up steps, run in reverse order, even if some fail. `run` throws all failures as one AggregateError. */
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
    if (failures.length > 0) throw new AggregateError(failures, 'the clean-up failed')
  }
}
