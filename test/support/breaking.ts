// What a change of the OpenAPI document breaks for clients that were made from an earlier one. api-smart-diff compares, and knows
// for most changes whether they break; the rest is said here.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { apiCompare } from 'api-smart-diff'
import type { OpenApi } from './openapi.ts'

/** The document of the last release, without its texts. `npm run openapi -- --accept` makes the present one the released one. */
export const RELEASED = join(import.meta.dirname, '../../docs/openapi-released.json')

export const readDocument = (path: string): OpenApi => JSON.parse(readFileSync(path, 'utf8')) as OpenApi

const TEXTS = new Set(['description', 'summary', 'title', 'tags', 'example', 'examples', 'info', 'servers', 'default'])

/** What clients depend on, without texts and examples. */
export function contractOf(document: OpenApi): OpenApi {
  return bare(document) as OpenApi
}

/** @param named the keys are names of members, whatever they are called, and not words of the schema */
function bare(value: unknown, named = false): unknown {
  if (Array.isArray(value)) return value.map((one) => bare(one))
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value).filter(([key]) => named || !(TEXTS.has(key) || key.startsWith('x-')))
  return Object.fromEntries(kept.map(([key, one]) => [key, bare(one, !named && key === 'properties')]))
}

/** The changes that break a client, each as one line. */
export function breaksOf(before: OpenApi, after: OpenApi): string[] {
  const { diffs } = apiCompare(comparable(before), comparable(after))
  const found = diffs.filter(({ path: [top] }) => top === 'paths').filter(isBreak)
  return [...new Set(found.map(({ action, path }) => `${action} ${path.slice(1).join(' ')}`))].toSorted()
}

type Change = ReturnType<typeof apiCompare>['diffs'][number]

function isBreak({ type, action, path, before, after }: Change): boolean {
  const words = path.map(String)
  // Generated clients call their functions so.
  if (words.at(-1) === 'operationId') return true
  // An answer that promises more breaks nobody.
  if (action === 'add' && words.includes('responses') && words.at(-2) === 'required') return false
  // Bodies take no unknown members: what a client goes on sending would be refused.
  if (action === 'remove' && words.includes('requestBody') && words.at(-2) === 'properties') return true
  if (words.at(-1) === 'type' && action === 'replace') return isOtherType(words.includes('responses'), before, after)
  return type === 'breaking'
}

/** Answers may have fewer types than before, and what is sent may have more. The tool has it the other way round for answers. */
function isOtherType(isAnswer: boolean, before: unknown, after: unknown): boolean {
  const [old, now] = [[before].flat(), [after].flat()]
  return isAnswer ? now.some((one) => !old.includes(one)) : old.some((one) => !now.includes(one))
}

/** The tool does not look at webhooks, whose bodies are for the client to read: for it they are answers. */
function comparable(document: OpenApi): object {
  const { paths, webhooks, ...rest } = contractOf(document)
  const told = Object.entries(webhooks).map(([event, { post }]) => [
    `/webhooks/${event}`,
    {
      get: {
        operationId: post?.operationId,
        responses: { 200: { description: '', content: post?.requestBody?.content } },
      },
    },
  ])
  return { ...rest, paths: { ...paths, ...Object.fromEntries(told) } }
}
