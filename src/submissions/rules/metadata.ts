// Checks of the metadata fields of a slot.

import { AppError } from '../../core/errors.ts'
import type { FileProblem } from '../../records/upload-record.ts'
import type { SlotRules } from '../profiles/profile.ts'
import type { MetadataField } from '../profiles/schema.ts'
import { problemOf } from './texts.ts'

/** METADATA_MISSING for every empty required field. */
export function missingMetadata(slot: SlotRules, values: Readonly<Record<string, unknown>>): FileProblem[] {
  return slot.metadata
    .filter((field) => field.required && isBlank(values[field.name]))
    .map((field) =>
      problemOf('METADATA_MISSING', 'reject', {
        name: slot.shortLabel,
        field: field.label,
        actual: field.name,
      }),
    )
}

/**
 * Whether values match the fields of a slot. Fields may be missing or null (cleared); required ones are checked
 * at the seal, so that people can save incomplete data.
 * @returns SLOT_METADATA_INVALID {slot, fields: [{name, rule}]}, or undefined
 */
export function metadataProblem(slot: SlotRules, values: Readonly<Record<string, unknown>>): AppError | undefined {
  const fields = Object.entries(values).flatMap(([name, value]) => {
    const field = slot.metadata.find((candidate) => candidate.name === name)
    const rule = field ? brokenRule(field, value) : 'unknown'
    return rule === undefined ? [] : [{ name, rule }]
  })
  if (fields.length === 0) return undefined
  return new AppError('SLOT_METADATA_INVALID', { details: { slot: slot.id, fields } })
}

function isBlank(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'string' && value.trim() === '')
}

/** Which rule of the field a value breaks: `type`, `minimum`, `maximum`, `maxLength` or `options`. */
function brokenRule(field: MetadataField, value: unknown): string | undefined {
  if (value === null) return undefined
  if (!hasType(field, value)) return 'type'
  if (typeof value === 'number') {
    if (field.minimum !== undefined && value < field.minimum) return 'minimum'
    if (field.maximum !== undefined && value > field.maximum) return 'maximum'
  }
  if (typeof value === 'string') {
    if (value.length > (field.maxLength ?? DEFAULT_MAX_LENGTH)) return 'maxLength'
    if (field.options && !field.options.includes(value)) return 'options'
  }
  return undefined
}

/** Limit of text fields without their own, since records are small. */
const DEFAULT_MAX_LENGTH = 2000

function hasType(field: MetadataField, value: unknown): boolean {
  if (field.type === 'integer') return Number.isSafeInteger(value)
  if (field.type === 'number') return Number.isFinite(value)
  return typeof value === field.type
}
