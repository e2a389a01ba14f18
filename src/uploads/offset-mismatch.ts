// "If the offsets do not match, the Server MUST respond with the 409 Conflict status". The response has the current offset, so that a client
// need not ask for it.

import { AppError } from '../core/errors.ts'

export function offsetMismatch(offset: number): AppError {
  return new AppError('OFFSET_MISMATCH', {
    headers: { 'Upload-Offset': String(offset) },
    details: { offset },
  })
}
