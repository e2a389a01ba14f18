// The state of saving of each metadata field.

import { Refusal } from '../api.js'

/** @typedef {'none' | 'saving' | 'saved' | 'wrong' | 'retry'} SavingState */
/** @typedef {'type' | 'minimum' | 'maximum' | 'maxLength' | 'options' | 'unknown'} BrokenRule */
/** @typedef {{state: SavingState, rule?: BrokenRule}} FieldState */

export class FieldStates {
  /** @type {Map<string, FieldState>} */
  #states = new Map()
  #changed

  /** @param {() => void} changed */
  constructor(changed) {
    this.#changed = changed
  }

  /** @param {string} slot @param {string} name @returns {FieldState} */
  of(slot, name) {
    return this.#states.get(`${slot}/${name}`) ?? { state: 'none' }
  }

  /** @param {string} slot @param {string} name @param {() => Promise<void>} save */
  async saving(slot, name, save) {
    this.#set(slot, name, { state: 'saving' })
    try {
      await save()
      this.#set(slot, name, { state: 'saved' })
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      const [broken] = /** @type {{rule: BrokenRule}[]} */ (error.problem['fields'] ?? [])
      this.#set(slot, name, broken === undefined ? { state: 'retry' } : { state: 'wrong', rule: broken.rule })
    }
  }

  /** @param {string} slot @param {string} name @param {FieldState} state */
  #set(slot, name, state) {
    this.#states.set(`${slot}/${name}`, state)
    this.#changed()
  }
}
