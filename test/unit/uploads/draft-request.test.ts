// Requests of the IETF draft as requests of tus.

import type { IncomingMessage } from 'node:http'
import { describe, expect, test } from 'vitest'
import { AppError } from '../../../src/core/errors.ts'
import { draftRequest } from '../../../src/uploads/draft-request.ts'
import { parseMetadata } from '../../../src/uploads/metadata.ts'
import { metadata } from '../../support/tus.ts'

function translated(method: 'POST' | 'PATCH', headers: Record<string, string>) {
  const raw = { method, headers: { 'upload-draft-interop-version': '6', ...headers } } as unknown as IncomingMessage
  return draftRequest(raw, method)
}

describe('the length of the upload', () => {
  const complete = { 'upload-complete': '?1' }
  test('is what is there and what comes, where that is the end', () => {
    expect(translated('POST', { ...complete, 'content-length': '10' })?.headers['upload-length']).toBe('10')
    expect(translated('POST', complete)?.headers['upload-length']).toBe('0')
    const appended = { 'content-type': 'application/partial-upload', 'upload-offset': '5', 'content-length': '10' }
    expect(translated('PATCH', { ...complete, ...appended })?.headers['upload-length']).toBe('15')
    expect(translated('PATCH', { 'upload-complete': '?0', ...appended })?.headers['upload-length']).toBeUndefined()
  })

  test('is declared, or not known yet', () => {
    const partly = { 'upload-complete': '?0', 'content-length': '10' }
    expect(translated('POST', { ...partly, 'upload-length': '20' })?.headers).toMatchObject({ 'upload-length': '20' })
    expect(translated('POST', partly)?.headers).toMatchObject({ 'upload-defer-length': '1' })
    const chunked = { ...complete, 'transfer-encoding': 'chunked' }
    expect(translated('POST', chunked)?.headers).toMatchObject({ 'upload-defer-length': '1' })
    const both = translated('POST', { ...complete, 'content-length': '10', 'upload-length': '20' })
    expect(both?.refusal?.details).toEqual({ header: 'upload-length', actual: '20' })
  })
})

describe('name and type of the file', () => {
  const said = (headers: Record<string, string>) => {
    const tus = translated('POST', { 'upload-complete': '?1', 'content-length': '1', ...headers })?.headers
    return { ...parseMetadata({ headers: { metadata: tus?.['upload-metadata'] ?? null } as never }) }
  }
  const disposition = (value: string) => said({ 'content-disposition': value })
  const thai = 'แผน.pdf'

  test('come from Content-Disposition and Content-Type', () => {
    expect(said({})).toEqual({})
    expect(said({ 'content-type': 'Application/PDF; a=b' })).toEqual({ filetype: 'application/pdf' })
    for (const type of ['application/partial-upload', 'application/octet-stream', ''])
      expect(said({ 'content-type': type })).toEqual({})
    expect(disposition('attachment; filename=a.pdf')).toEqual({ filename: 'a.pdf' })
    expect(disposition('form-data; name="x"; filename="a \\"b\\"; c.pdf"')).toEqual({ filename: 'a "b"; c.pdf' })
    const latin = Buffer.from(thai).toString('latin1')
    expect(disposition(`attachment; filename="${latin}"`)).toEqual({ filename: thai })
    const encoded = `attachment; filename="x.pdf"; filename*=UTF-8''${encodeURIComponent(thai)}`
    expect(disposition(encoded)).toEqual({ filename: thai })
  })

  test('are not guessed', () => {
    for (const bad of ['attachment', 'attachment; filename=', "attachment; filename*=UTF-8''%ff", 'filename'])
      expect(disposition(bad)).toEqual({})
  })

  test('of Upload-Metadata win', () => {
    const own = { 'content-disposition': 'attachment; filename=x.pdf', 'content-type': 'video/mp4' }
    const given = { 'upload-metadata': metadata({ name: thai, fingerprint: 'f' }) }
    expect(said({ ...own, ...given })).toEqual({ name: thai, fingerprint: 'f', filetype: 'video/mp4' })
    expect(said({ ...own, 'upload-metadata': metadata({ filename: thai, type: 'a/b' }) })).toEqual({
      filename: thai,
      type: 'a/b',
    })
  })
})

test('an upload that expired or was cancelled is gone as the draft wants it: 404, with the same code', () => {
  const request = translated('PATCH', { 'upload-complete': '?1', 'content-type': 'application/partial-upload' })
  for (const code of ['UPLOAD_EXPIRED', 'UPLOAD_CANCELLED'] as const)
    expect(request?.seen(new AppError(code))).toMatchObject({ code, status: 404 })
  expect(request?.seen(new AppError('UPLOAD_LENGTH_EXCEEDED'))).toMatchObject({ status: 400 })
  expect(request?.seen(new AppError('OFFSET_MISMATCH'))).toBeUndefined()
})
