// Upload-Metadata: "one or more comma-separated key-value pairs. The key and value MUST be separated by a space." Clients
// in use send it empty, with spaces after commas, or with a trailing comma; this is accepted.

import { AppError } from '../core/errors.ts'
import type { TusRequest } from './tus-request.ts'

/** "The key MUST NOT contain spaces and commas and MUST NOT be empty. The key SHOULD be ASCII encoded". */
const KEY = /^[!-+\--~]+$/
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** Values as text; null for a key without one. Throws TUS_HEADER_INVALID. */
export function parseMetadata({ headers }: Pick<TusRequest, 'headers'>): Record<string, string | null> {
  // Without a prototype: `constructor` is a key like any other.
  const metadata = Object.create(null) as Record<string, string | null>
  for (const pair of (headers.metadata ?? '').split(',')) {
    const [key, value = '', ...rest] = pair.trim().split(/ +/)
    if (key === undefined || key === '') continue
    // "All keys MUST be unique."
    if (rest.length > 0 || !KEY.test(key) || !BASE64.test(value) || key in metadata)
      throw new AppError('TUS_HEADER_INVALID', {
        details: { header: 'upload-metadata', actual: pair.slice(0, 100) },
      })
    metadata[key] = value === '' ? null : Buffer.from(value, 'base64').toString('utf8')
  }
  return metadata
}
