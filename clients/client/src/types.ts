// Names for the types of the API, which are made from its OpenAPI document.

import type { paths, webhooks } from './api-types.ts'

export type Path = keyof paths
export type Method = 'get' | 'put' | 'post' | 'patch' | 'delete'

type Operation<P extends Path, M extends Method> = M extends keyof paths[P] ? paths[P][M] : never
type JsonOf<T> = T extends { content: { 'application/json': infer Json } } ? Json : undefined

/** The methods that a path has. */
export type MethodOf<P extends Path> = {
  [M in Method]: Operation<P, M> extends { responses: unknown } ? M : never
}[Method]

/** What a call answers, if it is not refused. */
export type Answer<P extends Path, M extends Method> =
  Operation<P, M> extends { responses: infer All }
    ? { [Status in keyof All]: Status extends 200 | 201 | 202 | 204 ? JsonOf<All[Status]> : never }[keyof All]
    : never

export type Body<P extends Path, M extends Method> =
  Operation<P, M> extends { requestBody?: infer Request } ? JsonOf<NonNullable<Request>> : never

export type Query<P extends Path, M extends Method> =
  Operation<P, M> extends { parameters: { query?: infer Parameters } } ? NonNullable<Parameters> : never

type PathOf<Parameters> = Parameters extends { path: infer Names } ? { path: Names } : { path?: never }

/** The names in a path, as `{ path: { id } }`. */
export type InPath<P extends Path, M extends Method> =
  Operation<P, M> extends { parameters: infer Parameters } ? PathOf<Parameters> : never

export type Submission = Answer<'/v1/submissions/{id}', 'put'>
/** With the documents of its uploads. */
export type ExpandedSubmission = Answer<'/v1/submissions/{id}', 'get'>
export type SubmissionBody = Body<'/v1/submissions/{id}', 'put'>
export type SubmissionList = Answer<'/v1/submissions', 'get'>
export type Review = Answer<'/v1/submissions/{id}/review', 'get'>
export type Ticket = Answer<'/v1/submissions/{id}/tickets', 'post'>
export type Session = Answer<'/v1/submissions/{id}/sessions', 'post'>
export type Upload = Answer<'/v1/uploads/{id}', 'get'>
export type UploadList = Answer<'/v1/submissions/{id}/uploads', 'get'>
export type Links = Answer<'/v1/uploads/{id}/links', 'post'>
export type UploadReceipt = Answer<'/v1/uploads/{id}/receipt', 'get'>
export type SubmissionReceipt = Answer<'/v1/submissions/{id}/receipt', 'get'>
export type ReceiptBody = Body<'/v1/receipts/verify', 'post'>
export type VerifiedReceipt = Answer<'/v1/receipts/verify', 'post'>
export type ReceiptKeys = Answer<'/v1/receipts/keys', 'get'>
export type PrintLink = Answer<'/v1/submissions/{id}/receipt/links', 'post'>
export type AttemptList = Answer<'/v1/submissions/{id}/attempts', 'get'>
export type ClaimedAttempts = Body<'/v1/submissions/{id}/attempts', 'post'>
export type FiledAttempts = Answer<'/v1/submissions/{id}/attempts', 'post'>
export type ProfileList = Answer<'/v1/profiles', 'get'>
export type Profile = Answer<'/v1/profiles/{id}', 'get'>
export type ServiceStatus = Answer<'/v1/status', 'get'>

type EventBodyOf<Hook> = Hook extends { post: { requestBody?: infer Request } } ? JsonOf<NonNullable<Request>> : never

/** An event, as webhooks, streams and the event log have it; `type` says which. There may be new types: pass over those. */
export type SongnganEvent = { [Type in keyof webhooks]: EventBodyOf<webhooks[Type]> }[keyof webhooks]

export type EventPage = { items: SongnganEvent[]; nextCursor: string }

/** Of a running upload; not stored, for progress bars alone. */
export type Progress = {
  uploadId: string
  receivedBytes?: number
  /** null while its length is not known. */
  bytes?: number | null
  progress: Upload['progress'] | null
}
