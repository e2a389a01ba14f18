// A file on each side of every limit that a shipped profile enforces, generated from the profiles: a new value there
// makes new rows. Each file runs through the lanes in one slot; its measurements are checked by the rules of all other
// slots with the same limit.

import type { ProfileCatalogue } from '../../../src/submissions/profiles/loader.ts'
import type { MediaRules } from '../../../src/submissions/profiles/media.ts'
import type { SlotRules } from '../../../src/submissions/profiles/profile.ts'

import type { Expected, Make, Place, Row } from '../model.ts'
import { type Side, sidesOf } from './sides.ts'

/** A limit of one slot. */
export type Limit = {
  place: Place
  slot: SlotRules
  media: MediaRules
  /** `video maxDurationSeconds 3600`: slots with the same words have the same limit. */
  name: string
}

const RULES = [
  'maxBytes',
  'maxDurationSeconds',
  'minDurationSeconds',
  'advisedMinDurationSeconds',
  'videoCodecs',
  'audioCodecs',
  'minShortSidePixels',
  'maxFramesPerSecond',
  'maxPages',
  'minPages',
] as const
export type Rule = (typeof RULES)[number] & keyof MediaRules

export function limitRows(catalogue: ProfileCatalogue): Row[] {
  const all = limitsOf(catalogue)
  const names = [...new Set(all.map(({ name }) => name))]
  return names.flatMap((name) => rowsOfLimit(all.filter((limit) => limit.name === name)))
}

/** Every enforced limit of every slot of every profile, enabled or not. */
export function limitsOf(catalogue: ProfileCatalogue): Limit[] {
  return catalogue.list().flatMap((profile) =>
    profile.slots.flatMap((slot) =>
      slot.media.flatMap((media) =>
        namesOf(slot, media).map((name) => ({
          place: { profile: profile.key, slot: slot.id },
          slot,
          media,
          name: `${media.kind} ${name}`,
        })),
      ),
    ),
  )
}

function namesOf(slot: SlotRules, media: MediaRules): string[] {
  const most = slot.maxPerKind[media.kind]
  return [
    ...RULES.filter((rule) => media[rule] !== undefined && media[rule] !== Number.MAX_SAFE_INTEGER).map(
      (rule) => `${rule} ${media[rule]}${rule === 'maxDurationSeconds' ? ` ± ${media.durationToleranceSeconds}` : ''}`,
    ),
    ...(media.kind === 'video'
      ? [
          `containers ${media.otherContainers} others than ${[...media.containers, ...media.remediableContainers].join(', ')}`,
        ]
      : []),
    ...(most === undefined ? [] : [`maxPerKind ${most}`]),
    ...(slot.plannedTime && media.kind === 'video' ? [`plannedTime ${slot.plannedTime.toleranceSeconds}`] : []),
  ]
}

function rowsOfLimit(limits: readonly Limit[]): Row[] {
  const [first] = limits.toSorted((a, b) => strictness(a) - strictness(b))
  if (first === undefined) return []
  return sidesOf(first).map((side) =>
    rowOf(
      first,
      side,
      limits.map(({ place }) => place),
    ),
  )
}

/** For slots without a limit of duration, so that a file breaks one limit only. */
function strictness({ media, name }: Limit): number {
  return media.advisedMinDurationSeconds === undefined || name.includes('advised') ? 0 : 1
}

function rowOf({ place, slot, media, name }: Limit, side: Side, places: readonly Place[]): Row {
  const { code, breaks } = side
  const severity = slot.severities[code]
  if (severity === 'off') throw new Error(`${place.profile} ${place.slot} has ${code} off`)
  const problems = { ...side.others, ...(breaks ? { [code]: severity } : {}) } as Expected['problems']
  const isOver = Object.values(problems).includes('reject')
  const accepted = side.read === true ? 'ready' : 'accepted'
  return {
    name: `${name.replace(/ others than .*/, '').replaceAll(/[^A-Za-z0-9.]+/g, '-')}-${side.name}`,
    group: 'limits',
    about: `${name}: ${side.about}; the rule of ${places.length} slots`,
    place,
    make: side.make,
    ...(side.read === true ? {} : { verdictOnly: true as const }),
    ...(side.before === undefined ? {} : { before: side.before.map((make: Make) => ({ slot: place.slot, make })) }),
    ...(side.plannedMinutes === undefined ? {} : { plannedMinutes: side.plannedMinutes }),
    also: { code, breaks, places },
    expect: {
      state: isOver ? ('rejected' as const) : (accepted as Expected['state']),
      problems,
      measured: { kind: media.kind, ...side.measured },
      ...(side.seconds === undefined ? {} : { seconds: side.seconds, within: 0.005 }),
    },
  }
}
