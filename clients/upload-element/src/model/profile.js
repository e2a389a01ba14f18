// The requirement profile for the page: the enforced rules of `GET /v1/profiles/:id`, and the rules that
// assessors judge.

import { profileOf } from '../../../../src/submissions/profiles/profile.ts'
import { isEnforced } from '../../../../src/submissions/profiles/verification.ts'

/** @typedef {import('../../../../src/submissions/profiles/media.ts').MediaRules} MediaRules */
/** @typedef {import('../../../../src/submissions/profiles/schema.ts').MetadataField} Field */
/** @typedef {{th: string, en: string}} Bilingual */
/** @typedef {import('../../../../src/submissions/profiles/profile.ts').SlotRules & {guidance: readonly Bilingual[]}} SlotRules */
/**
 * @typedef {object} Profile
 * @property {Bilingual} position
 * @property {Bilingual} rank
 * @property {readonly {id: string, label: Bilingual}[]} domains
 * @property {ReadonlyMap<string, SlotRules>} slots
 */

/**
 * @param {import('../../../../src/submissions/profiles/schema.ts').ProfileData} data the answer of `GET /v1/profiles/:id`
 * @returns {Profile}
 */
export function readProfile(data) {
  const guidance = new Map(data.slots.map(({ id, guidance: rules = [] }) => [id, rules]))
  return {
    position: data.position.label,
    rank: data.rank.label,
    domains: data.domains,
    slots: new Map(
      profileOf(data).slots.map((slot) => {
        const known = (guidance.get(slot.id) ?? []).filter(({ verification }) => isEnforced(verification))
        return [slot.id, { ...slot, guidance: known.map(({ text }) => text) }]
      }),
    ),
  }
}

/** For a file input's `accept`: names and types, so that a phone offers its camera. @param {SlotRules} slot */
export function acceptOf({ media }) {
  return media
    .flatMap(({ extensions, mimeTypes }) => [...mimeTypes, ...extensions.map((extension) => `.${extension}`)])
    .join(',')
}
