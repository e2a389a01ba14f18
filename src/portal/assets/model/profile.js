// The requirement profile as the page needs it: of `GET /v1/profiles/:id` only what is enforced. A profile also holds values
// that nobody has verified yet, with a word that says so; those are no rules.

/** @typedef {{th: string, en: string}} Bilingual */
/**
 * @typedef {object} MediaRules
 * @property {string} kind
 * @property {readonly string[]} containers
 * @property {readonly string[]} remediableContainers taken, and converted
 * @property {'reject' | 'convert'} otherContainers
 * @property {readonly string[]} extensions
 * @property {readonly string[]} mimeTypes
 * @property {number} maxBytes
 * @property {number} [recommendedMaxBytes]
 * @property {number} [maxDurationSeconds]
 * @property {number} [minDurationSeconds]
 * @property {number} durationToleranceSeconds
 * @property {number} [maxPages]
 */
/**
 * @typedef {object} Field
 * @property {string} name
 * @property {Bilingual} label
 * @property {'string' | 'integer' | 'number' | 'boolean'} type
 * @property {boolean} required
 * @property {number} [minimum]
 * @property {number} [maximum]
 * @property {number} [maxLength]
 * @property {string[]} [options]
 */
/**
 * @typedef {object} SlotRules
 * @property {string} id
 * @property {Bilingual} shortLabel
 * @property {number} max
 * @property {Readonly<Record<string, number>>} maxPerKind
 * @property {readonly MediaRules[]} media
 * @property {readonly Field[]} fields
 * @property {readonly Bilingual[]} guidance rules that a person judges
 * @property {(code: string) => boolean} rejects whether a file is rejected for this
 */
/**
 * @typedef {object} Profile
 * @property {Bilingual} position
 * @property {Bilingual} rank
 * @property {readonly {id: string, label: Bilingual}[]} domains
 * @property {ReadonlyMap<string, SlotRules>} slots
 */

/** Words under which a value is a rule; a value without a word is the operator's own, and holds. */
const ENFORCED = ['seed', 'secondary', 'default']
const OPTIONAL_LIMITS = ['recommendedMaxBytes', 'maxDurationSeconds', 'minDurationSeconds', 'maxPages']
const DEFAULT_TOLERANCE_SECONDS = 1

/** @param {string | undefined} word */
function isEnforced(word) {
  return word === undefined || ENFORCED.includes(word)
}

/**
 * @param {any} data the answer of `GET /v1/profiles/:id`
 * @returns {Profile}
 */
export function readProfile(data) {
  const { position, rank, domains, slots } = data
  return {
    position: position.label,
    rank: rank.label,
    domains,
    slots: new Map(slots.map((/** @type {any} */ slot) => [slot.id, slotRules(data, slot)])),
  }
}

/** @param {any} data @param {any} slot @returns {SlotRules} */
function slotRules(data, slot) {
  return {
    id: slot.id,
    shortLabel: slot.shortLabel ?? slot.label,
    max: slot.max,
    maxPerKind: isEnforced(slot.verification?.maxPerKind) ? (slot.maxPerKind ?? {}) : {},
    media: slot.media.map((/** @type {any} */ own) => mediaRules(data.mediaDefaults?.[own.kind] ?? {}, own)),
    fields: slot.metadata ?? [],
    guidance: (slot.guidance ?? [])
      .filter((/** @type {any} */ rule) => isEnforced(rule.verification))
      .map((/** @type {any} */ rule) => rule.text),
    rejects: (code) => (slot.severities?.[code] ?? data.severities?.[code]) === 'reject',
  }
}

/**
 * The slot's values over the profile's defaults for that kind. A value brings its own word of verification.
 * @param {any} defaults @param {any} own
 * @returns {MediaRules}
 */
function mediaRules(defaults, own) {
  const all = { ...defaults, ...own }
  const word = (/** @type {string} */ name) => (name in own ? own : defaults).verification?.[name]
  const limits = OPTIONAL_LIMITS.filter((name) => all[name] !== undefined && isEnforced(word(name)))
  return {
    kind: own.kind,
    containers: all.containers ?? [],
    remediableContainers: all.remediableContainers ?? [],
    otherContainers: isEnforced(word('containers')) ? 'reject' : 'convert',
    extensions: all.extensions ?? [],
    mimeTypes: all.mimeTypes ?? [],
    maxBytes: isEnforced(word('maxBytes'))
      ? (all.maxBytes ?? Number.MAX_SAFE_INTEGER)
      : Number.MAX_SAFE_INTEGER,
    durationToleranceSeconds: all.durationToleranceSeconds ?? DEFAULT_TOLERANCE_SECONDS,
    ...Object.fromEntries(limits.map((name) => [name, all[name]])),
  }
}

/** For a file input's `accept`: names and types, so that a phone offers its camera. @param {SlotRules} slot */
export function acceptOf({ media }) {
  return media
    .flatMap(({ extensions, mimeTypes }) => [...mimeTypes, ...extensions.map((extension) => `.${extension}`)])
    .join(',')
}
