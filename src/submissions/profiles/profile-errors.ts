// Errors of a profile file: first the schema, then semantics (unknown names).

import { Compile, type Validator } from 'typebox/compile'
import { Settings } from 'typebox/system'
import { Errors } from 'typebox/value'
import { mergedMedia, NEEDED_FIELDS } from './media.ts'
import { profileKey } from './profile.ts'
import { type MediaData, type ProfileData, ProfileDataSchema, type SlotData } from './schema.ts'

/** `path` is a JSON pointer into the file. */
export type ProfileError = { path: string; message: string }

let validator: Validator | undefined

/** All schema errors; an empty list means that `value` is a ProfileData. */
export function schemaErrors(value: unknown): ProfileError[] {
  // Looking for errors takes four times as long, for every profile at every start.
  validator ??= Compile(ProfileDataSchema)
  if (validator.Check(value)) return []
  // The validator stops at eight errors by default; operators should see all.
  const { maxErrors } = Settings.Get()
  Settings.Set({ maxErrors: 1000 })
  try {
    return (
      Errors(ProfileDataSchema, value)
        // A duplicate of the error that names the unknown property.
        .filter((error) => error.keyword !== 'boolean')
        .map((error) => ({ path: error.instancePath || '/', message: describe(error) }))
    )
  } finally {
    Settings.Set({ maxErrors })
  }
}

function describe(error: ReturnType<typeof Errors>[number]): string {
  if (error.keyword === 'additionalProperties') {
    return `has unknown members: ${error.params.additionalProperties.join(', ')}`
  }
  if (error.keyword === 'enum') return `must be one of ${error.params.allowedValues.join(', ')}`
  return error.message
}

export function isProfileData(value: unknown): value is ProfileData {
  return schemaErrors(value).length === 0
}

/** Semantic errors of a file with a valid schema. `fileName` without folder. */
export function semanticErrors(profile: ProfileData, fileName: string): ProfileError[] {
  const expected = `${profileKey(profile.id, profile.version)}.json`
  const slotIds = new Set(profile.slots.map((slot) => slot.id))
  const errors: ProfileError[] = [
    ...(fileName === expected ? [] : [{ path: '/id', message: `the file must be named ${expected}` }]),
    ...repeated(
      profile.domains.map((d) => d.id),
      '/domains',
    ),
    ...repeated(
      profile.slots.map((s) => s.id),
      '/slots',
    ),
    ...profile.slots.flatMap((slot, i) => slotFaults(profile, slot, `/slots/${i}`)),
  ]
  const placed: string[] = []
  for (const [g, group] of (profile.alternatives ?? []).entries()) {
    for (const [b, branch] of group.anyOf.entries()) {
      for (const id of branch) {
        if (!slotIds.has(id)) errors.push({ path: `/alternatives/${g}/anyOf/${b}`, message: `no slot ${id}` })
        placed.push(id)
      }
    }
  }
  return [...errors, ...repeated(placed, '/alternatives')]
}

function slotFaults(profile: ProfileData, slot: SlotData, path: string): ProfileError[] {
  const errors: ProfileError[] = []
  const say = (at: string, message: string) => errors.push({ path: `${path}${at}`, message })
  if (!profile.domains.some((domain) => domain.id === slot.domain)) say('/domain', `no domain ${slot.domain}`)
  if (slot.min > slot.max) say('/min', 'min is greater than max')
  const kinds: string[] = slot.media.map((media) => media.kind)
  errors.push(...repeated(kinds, `${path}/media`))
  for (const kind of Object.keys(slot.maxPerKind ?? {})) {
    if (!kinds.includes(kind)) say(`/maxPerKind/${kind}`, `the slot does not accept ${kind}`)
  }
  for (const [m, own] of slot.media.entries()) {
    errors.push(...mediaErrors(mergedMedia(profile, own), `${path}/media/${m}`))
  }
  errors.push(
    ...repeated(
      (slot.metadata ?? []).map((f) => f.name),
      `${path}/metadata`,
    ),
  )
  const planned = slot.plannedTime
  if (planned) {
    const fields = profile.slots.find((other) => other.id === planned.slot)?.metadata ?? []
    if (!fields.some((field) => field.name === planned.field && field.type !== 'string')) {
      say('/plannedTime', `slot ${planned.slot} has no number field ${planned.field}`)
    }
  }
  return errors
}

function mediaErrors(media: MediaData, path: string): ProfileError[] {
  const errors: ProfileError[] = []
  const say = (at: string, message: string) => errors.push({ path: `${path}${at}`, message })
  for (const field of NEEDED_FIELDS) {
    if (media[field] === undefined) say('', `needs ${field}, here or in mediaDefaults/${media.kind}`)
  }
  for (const container of media.remediableContainers ?? []) {
    if (media.containers?.includes(container)) say('/remediableContainers', `${container} is also in containers`)
  }
  const atMost = (min: 'minDurationSeconds' | 'minPages', max: 'maxDurationSeconds' | 'maxPages') => {
    if ((media[min] ?? 0) > (media[max] ?? Number.POSITIVE_INFINITY)) say(`/${min}`, `is greater than ${max}`)
  }
  atMost('minDurationSeconds', 'maxDurationSeconds')
  atMost('minPages', 'maxPages')
  const names = (media.renditions ?? []).map((rendition) => rendition.name)
  return [...errors, ...repeated(names, `${path}/renditions`)]
}

function repeated(names: readonly string[], path: string): ProfileError[] {
  const twice = names.filter((name, i) => names.indexOf(name) !== i)
  return [...new Set(twice)].map((name) => ({ path, message: `${name} appears more than once` }))
}
