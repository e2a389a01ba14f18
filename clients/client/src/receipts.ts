// Receipts, of uploads and of whole hand-ins.

import type { CallOptions, Connection } from './connection.ts'
import type {
  Body,
  PrintLink,
  ReceiptBody,
  ReceiptKeys,
  SubmissionReceipt,
  UploadReceipt,
  VerifiedReceipt,
} from './types.ts'

const PRINT = '/v1/submissions/{id}/receipt/links'

export type ReceiptCalls = ReturnType<typeof receiptCalls>

export function receiptCalls(connection: Connection) {
  return {
    async ofUpload(uploadId: string, options: CallOptions = {}): Promise<UploadReceipt> {
      return await connection.call('get', '/v1/uploads/{id}/receipt', { path: { id: uploadId }, ...options })
    },

    /** Of a hand-in: the newest revision, or the one that is asked for. */
    async ofSubmission(
      submissionId: string,
      options: CallOptions & { revision?: number } = {},
    ): Promise<SubmissionReceipt> {
      const { revision, ...rest } = options
      const query = revision === undefined ? {} : { revision }
      return await connection.call('get', '/v1/submissions/{id}/receipt', {
        path: { id: submissionId },
        query,
        ...rest,
      })
    },

    /** A link to the print view of a hand-in's receipt. */
    async printLink(
      submissionId: string,
      body: Body<typeof PRINT, 'post'> = {},
      options: CallOptions = {},
    ): Promise<PrintLink> {
      return await connection.call('post', PRINT, { path: { id: submissionId }, body, ...options })
    },

    /**
     * Checks a receipt: the document that `ofUpload` or `ofSubmission` gave, its `receipt` alone, or the `id` of a printed one.
     * One that is not genuine is refused with `RECEIPT_INVALID` and the like. Needs no token.
     */
    async verify(receipt: ReceiptBody, options: CallOptions = {}): Promise<VerifiedReceipt> {
      return await connection.call('post', '/v1/receipts/verify', { body: receipt, ...options })
    },

    /** The public keys: keep them beside your receipts. */
    async keys(options: CallOptions = {}): Promise<ReceiptKeys> {
      return await connection.call('get', '/v1/receipts/keys', { ...options })
    },
  }
}
