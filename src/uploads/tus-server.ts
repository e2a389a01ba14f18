// @tus/server for POST, HEAD and DELETE: it checks headers, runs the handler and writes the response. PATCH
// is in patch.ts. The DataStore of the handlers is created per request (request-context.ts);
// these features of the library are replaced:
// - its parser of Upload-Metadata, which refuses metadata of real clients (see metadata.ts);
// - its locks: a new upload has no other holder, HEAD never interrupts a holder, DELETE ends it by a commit;
// - `writeToStore`, which pipes web streams through four stages (see receive.ts for ours);
// - its CORS headers, which the service sets for all routes.

import { type DataStore, ERRORS, Server } from '@tus/server'
import { AppError, type ErrorCode, toAppError } from '../core/errors.ts'
import type { TusRequestContext } from './request-context.ts'
import type { TusRequest } from './tus-request.ts'

export const TUS_EXTENSIONS = [
  'creation',
  'creation-with-upload',
  'creation-defer-length',
  'expiration',
  'termination',
  'checksum',
  'concatenation',
] as const

/** Errors of the library as our codes; compared by identity, since they are plain objects. */
const LIBRARY_ERRORS: [unknown, ErrorCode][] = [
  [ERRORS.FILE_NOT_FOUND, 'UPLOAD_UNKNOWN'],
  [ERRORS.FILE_NO_LONGER_EXISTS, 'UPLOAD_EXPIRED'],
  [ERRORS.ERR_SIZE_EXCEEDED, 'UPLOAD_LENGTH_EXCEEDED'],
  [ERRORS.ERR_MAX_SIZE_EXCEEDED, 'UPLOAD_TOO_LARGE'],
  [ERRORS.INVALID_LENGTH, 'TUS_HEADER_INVALID'],
  [ERRORS.UNSUPPORTED_CREATION_DEFER_LENGTH_EXTENSION, 'TUS_HEADER_INVALID'],
  [ERRORS.UNSUPPORTED_CONCATENATION_EXTENSION, 'CONCAT_INVALID'],
]

export function tusError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown
  const known = LIBRARY_ERRORS.find(([error]) => error === thrown)
  return known === undefined ? toAppError(thrown) : new AppError(known[1])
}

/** The members of a handler that are replaced per request. They are protected in the library's types. */
type OpenHandler = {
  store: DataStore
  options: object
  writeToStore: (...args: unknown[]) => Promise<number>
}

/** One library server for the process; `serve` runs one request through it. */
export class TusProtocol {
  readonly #server: Server

  constructor(store: DataStore) {
    this.#server = new Server({ path: '/files', datastore: store, locker: NO_LOCKER, allowedOrigins: [] })
  }

  /** Runs the library's handler for one request. Resolves with its response; a refusal is in `request.error`. */
  async serve(
    request: TusRequest,
    context: TusRequestContext,
  ): Promise<{ status: number; headers: Record<string, string> }> {
    const options = {
      ...this.#server.options,
      maxSize: () => context.maxBytes,
      generateUrl: (_: unknown, { id }: { id: string }) => `${request.baseUrl}/files/${id}`,
      getFileIdFromRequest: () => request.id ?? undefined,
      namingFunction: () => context.validate(),
      onUploadFinish: () => context.finished(),
      onResponseError: (_: unknown, thrown: unknown) => {
        request.error = tusError(thrown)
        return { status_code: request.error.status, body: '' }
      },
    }
    // Copies of the server and the handler with the store, locker and body of this request.
    const shared = this.#server.handlers[request.method as keyof Server['handlers']] as unknown as OpenHandler
    const handler = Object.create(shared, {
      store: { value: context.store },
      options: { value: options },
      writeToStore: { value: () => context.receive() },
    }) as OpenHandler
    const view = Object.create(this.#server, {
      options: { value: options },
      handlers: { value: { ...this.#server.handlers, [request.method]: handler } },
    }) as Server
    const response = await view.handleWeb(request as unknown as Request)
    const headers: Record<string, string> = {}
    for (const [name, value] of response.headers) if (!OWN_HEADERS.has(name)) headers[name] = value
    if (response.status >= 400 && request.error === undefined) request.error = new AppError('TUS_HEADER_INVALID')
    return { status: request.error?.status ?? response.status, headers }
  }
}

/** Set by `answer` or by the service for all routes; the library's values are ignored. */
const OWN_HEADERS = new Set([
  'access-control-allow-origin',
  'access-control-expose-headers',
  'access-control-allow-credentials',
  'access-control-allow-methods',
  'access-control-allow-headers',
  'access-control-max-age',
  'connection',
  'content-length',
  'content-type',
  'tus-resumable',
])

const NO_LOCKER = { newLock: () => ({ lock: () => Promise.resolve(), unlock: () => Promise.resolve() }) }
