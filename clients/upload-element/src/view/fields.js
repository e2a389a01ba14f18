// The metadata fields of a slot. Each is saved when it loses the focus; there is no save button.

import { h } from './dom.js'

/** @typedef {import('../panel.js').Panel} Panel */
/** @typedef {import('../model/profile.js').Field} Field */
/** @typedef {import('../model/rows.js').Slot} Slot */

/** @param {Slot} slot @param {import('../model/profile.js').SlotRules} rules @param {Panel} panel */
export function fields(slot, rules, panel) {
  // When uploads are closed, only fields with a value are shown.
  const shown = rules.metadata.filter(({ name }) => panel.mayUpload || isAnswer(slot.metadata[name]))
  if (shown.length === 0) return null
  return h(
    'div',
    { class: 'fields', key: 'fields' },
    shown.map((field) => oneField(slot, field, panel)),
  )
}

/** @param {unknown} value */
function isAnswer(value) {
  return value !== undefined && value !== null && value !== ''
}

/** @param {Slot} slot @param {Field} field @param {Panel} panel */
function oneField(slot, field, panel) {
  const { words } = panel
  const { t } = words
  const id = `field-${slot.slot}-${field.name}`
  const { state, rule } = panel.fieldStates.of(slot.slot, field.name)
  const told =
    state === 'wrong' ? `${words.of(field.label)} ${t.fieldRules[rule ?? 'type']}` : state === 'none' ? '' : t[state]
  return h(
    'div',
    { class: field.type === 'boolean' ? 'field tick' : 'field', key: field.name },
    h(
      'label',
      { for: id, class: 'field-label' },
      words.of(field.label),
      !field.required && h('span', { class: 'aside' }, ` ${t.fieldOptional}`),
    ),
    h(
      'span',
      { class: 'control' },
      control(id, slot, field, panel),
      h('span', { class: `told ${state}`, id: `${id}-told`, role: 'status' }, told),
    ),
  )
}

/** @param {string} id @param {Slot} slot @param {Field} field @param {Panel} panel */
function control(id, slot, field, panel) {
  const value = slot.metadata[field.name]
  const { state } = panel.fieldStates.of(slot.slot, field.name)
  const common = {
    id,
    name: field.name,
    disabled: !panel.mayUpload,
    required: field.required,
    'aria-describedby': `${id}-told`,
    'aria-invalid': state === 'wrong' ? 'true' : null,
  }
  const save = (/** @type {unknown} */ next) => void panel.saveField(slot.slot, field.name, next)
  if (field.type === 'boolean')
    return h('input', {
      ...common,
      type: 'checkbox',
      checked: value === true,
      onchange: (/** @type {any} */ event) => save(event.target.checked),
    })
  const changed = (/** @type {any} */ event) => save(typed(field, event.target.value))
  const text = value === undefined || value === null ? '' : String(value)
  if (field.options !== undefined)
    return h(
      'select',
      { ...common, onchange: changed },
      ['', ...field.options].map((option) => h('option', { value: option, selected: option === text }, option)),
    )
  const numeric = field.type !== 'string'
  return h('input', {
    ...common,
    type: 'text',
    inputmode: numeric ? (field.type === 'integer' ? 'numeric' : 'decimal') : null,
    maxlength: field.maxLength ?? null,
    autocomplete: 'off',
    value: text,
    onchange: changed,
  })
}

/** Empty clears. @param {Field} field @param {string} text */
function typed({ type }, text) {
  const trimmed = text.trim()
  if (trimmed === '') return null
  if (type === 'string') return trimmed
  const number = Number(trimmed.replace(/[๐-๙]/g, (digit) => String(digit.charCodeAt(0) - 0x0e50)))
  // Not a number: the service refuses it with a text.
  return Number.isNaN(number) ? trimmed : number
}
