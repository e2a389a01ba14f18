// Schemas with a name are written once: `title` is the name, and every place that has one refers to `components/schemas`.
// Client generators make a type of each, and the document is a third of what it would be.

import { isDeepStrictEqual } from 'node:util'

export type Json = Record<string, unknown>

const NAME = /^[A-Z][A-Za-z]+$/

/**
 * Replaces every schema that has a name by a reference, below `place` and in it.
 *
 * @param schemas gets the named ones
 * @throws if two different schemas have the same name
 */
export function nameSchemas<Place>(place: Place, schemas: Json): Place {
  if (Array.isArray(place)) return place.map((one) => nameSchemas(one, schemas)) as Place
  if (typeof place !== 'object' || place === null) return place
  const { title, ...rest } = Object.fromEntries(
    // Examples are values, whatever their members are called.
    Object.entries(place).map(([key, value]) => [key, isValue(key) ? value : nameSchemas(value, schemas)]),
  )
  const schema = withDefaults(withType(rest))
  if (typeof title !== 'string' || !NAME.test(title))
    return (title === undefined ? schema : { ...schema, title }) as Place
  const known = schemas[title]
  if (known !== undefined && !isDeepStrictEqual(known, schema))
    throw new Error(`two schemas of the OpenAPI document are called ${title}`)
  schemas[title] = schema
  return { $ref: `#/components/schemas/${title}` } as Place
}

const isValue = (key: string) => key === 'example' || key === 'examples' || key === 'default' || key === 'enum'

/** Words without a type are anything that may be one of them: generators want to hear that they are strings. */
function withType(schema: Json): Json {
  const { enum: words, type } = schema
  if (!Array.isArray(words) || type !== undefined) return schema
  const kinds = new Set(words.map((word) => (Number.isInteger(word) ? 'integer' : typeof word)))
  return kinds.size === 1 ? { type: [...kinds][0], ...schema } : schema
}

/** A member with a default may be left out: it is there when the body is checked. */
function withDefaults(schema: Json): Json {
  const { required, properties } = schema
  if (!Array.isArray(required)) return schema
  const members = (properties ?? {}) as Record<string, Json>
  const { required: _, ...rest } = schema
  const asked = required.filter((name: string) => members[name]?.['default'] === undefined)
  return asked.length === 0 ? rest : { ...schema, required: asked }
}
