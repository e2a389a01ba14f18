// Upload-Metadata, read by the library's parser.

import { Metadata } from '@tus/server'
import { AppError } from '../core/errors.ts'
import type { TusRequest } from './tus-request.ts'

/** Throws TUS_HEADER_INVALID. */
export function parseMetadata(request: TusRequest): Record<string, string | null> {
  const header = request.headers.get('upload-metadata')
  if (header === null) return {}
  try {
    return Metadata.parse(header)
  } catch (error) {
    throw new AppError('TUS_HEADER_INVALID', { details: { header: 'upload-metadata' }, cause: error })
  }
}
