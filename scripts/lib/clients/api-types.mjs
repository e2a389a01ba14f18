// The types of the API, made from its OpenAPI document.

import { register } from 'node:module'

/** TypeScript with `paths`, `webhooks` … of a document. Refusals are left out: the client has one class for all of them. */
export async function apiTypes(document) {
  register('./resolve-typescript.mjs', import.meta.url)
  // Imported here: only the build needs it, and after the hook.
  const { default: openapiTS, astToString, COMMENT_HEADER } = await import('openapi-typescript')
  const nodes = await openapiTS(withoutRefusals(document), { defaultNonNullable: false, silent: true })
  return COMMENT_HEADER + astToString(nodes)
}

function withoutRefusals(document) {
  const copy = structuredClone(document)
  for (const operations of Object.values(copy.paths))
    for (const { responses } of Object.values(operations))
      for (const status of Object.keys(responses ?? {})) if (/^[45]|default/.test(status)) delete responses[status]
  return copy
}
