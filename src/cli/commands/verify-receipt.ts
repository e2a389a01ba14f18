// `verify-receipt`: whether a receipt is valid, with a file of public keys and nothing else: no service, no network.

import { readFile } from 'node:fs/promises'
import { calculateJwkThumbprint } from 'jose'
import { isoTime } from '../../core/clock.ts'
import { AppError } from '../../core/errors.ts'
import { openReceipt, type ReceiptDocument } from '../../evidence/open-receipt.ts'
import type { ReceiptClaims } from '../../evidence/receipt-claims.ts'
import type { ReceiptJwk } from '../../evidence/receipt-keys.ts'
import type { HandedFile } from '../../evidence/submission-claims.ts'
import { type CommandAlone, text, textOf } from '../command.ts'
import { CliError, EXIT, type ExitCode, usageError } from '../errors.ts'

export const verifyReceipt: CommandAlone = {
  name: 'verify-receipt',
  takes: 'FILE --jwks KEYS',
  summary: 'checks a receipt without the service: what it proves, or that it was changed',
  help: [
    'FILE         a receipt as the service returned it, a line of export-receipts, or the signed text alone; -: standard input',
    '--jwks KEYS  the public keys, as GET /v1/receipts/keys returns them; get them again when a new key signs',
    'Exit code 1: it is not valid, or its key was withdrawn, so that only the service can tell by its records.',
  ],
  options: { jwks: text },
  prepareAlone(positionals, values) {
    const [file, ...more] = positionals
    const jwks = textOf(values, 'jwks')
    if (file === undefined || more.length > 0 || jwks === undefined)
      throw usageError('verify-receipt takes one FILE and --jwks KEYS')
    return async (say) => {
      const { json, text: lines, exitCode } = await verify(await receiptIn(file), await keysIn(jwks))
      say(values['json'] === true ? JSON.stringify(json, null, 2) : lines.join('\n'))
      return exitCode
    }
  },
}

type Verdict = { json: unknown; text: readonly string[]; exitCode: ExitCode }

async function verify(document: ReceiptDocument, keys: readonly ReceiptJwk[]): Promise<Verdict> {
  const { claims, key } = await openReceipt(document, (kid) => keyOf(keys, kid)).catch((error: unknown) => {
    if (!(error instanceof AppError)) throw error
    throw new CliError('Not valid: it was changed, or none of these keys signed it. Get the newest keys and try again.')
  })
  const { revoked } = key
  const json = { valid: revoked === undefined, kind: claims.kind, claims, key: { kid: key.kid, revoked } }
  if (revoked === undefined) return { json, text: ['Valid.', ...told(claims)], exitCode: EXIT.done }
  const from = isoTime(revoked.revoked_at * 1000)
  return {
    json,
    text: [`Not proved: its key was withdrawn as of ${from}. Ask the service: /verify, or POST /v1/receipts/verify.`],
    exitCode: EXIT.failed,
  }
}

/** The key of a `kid`, which is its thumbprint: a name in a file proves nothing. */
async function keyOf(keys: readonly ReceiptJwk[], kid: string): Promise<ReceiptJwk | undefined> {
  const key = keys.find((candidate) => candidate.kid === kid)
  if (key === undefined || (await calculateJwkThumbprint({ kty: 'OKP', crv: 'Ed25519', x: key.x })) !== kid)
    return undefined
  return key
}

function told(claims: ReceiptClaims): string[] {
  const { kind, portal, submission, iat, ...rest } = claims
  const signed = `signed ${isoTime(iat * 1000)}`
  if (kind !== 'submission')
    return [
      `${kind} · submission ${portal}/${submission} · slot ${claims.slot} · ${signed}`,
      ...(kind === 'attempt'
        ? [`attempt ${rest['at']}: ${rest['outcome']} ${rest['code'] ?? ''}`.trim()]
        : [fileLine({ ...rest, slot: claims.slot } as unknown as HandedFile)]),
    ]
  return [
    `submission ${portal}/${submission} · revision ${rest['revision']} · profile ${rest['profile']} · ${signed}`,
    `handed in ${rest['sealedAt']} (${rest['sealedBy']}) · counts as sent ${rest['creditedAt']}`,
    ...(rest['uploads'] as HandedFile[]).map(fileLine),
  ]
}

function fileLine({ slot, filename, bytes, sha256, storedAt }: HandedFile): string {
  return `${sha256 ?? 'no SHA-256 yet'.padEnd(64)}  ${bytes} bytes  stored ${storedAt}  ${slot}  ${filename ?? ''}`.trimEnd()
}

async function receiptIn(file: string): Promise<ReceiptDocument> {
  const given = (await contentOf(file)).trim()
  if (!given.startsWith('{')) return { receipt: given }
  const document = json(given, file)
  if (typeof document !== 'object' || document === null || !('receipt' in document))
    throw new CliError(`${file} is not a receipt: it has no member "receipt".`)
  const { receipt, kind, claims } = document as Record<string, unknown>
  if (typeof receipt !== 'string') throw new CliError(`${file} is not a receipt: its "receipt" is no text.`)
  return { receipt, kind, claims }
}

async function keysIn(file: string): Promise<ReceiptJwk[]> {
  const set = json(await contentOf(file), file)
  const keys = typeof set === 'object' && set !== null && 'keys' in set ? set.keys : undefined
  if (!Array.isArray(keys)) throw new CliError(`${file} is not a set of keys (RFC 7517).`)
  return keys as ReceiptJwk[]
}

/** Of a file, or of standard input. */
async function contentOf(file: string): Promise<string> {
  try {
    return await readFile(file === '-' ? '/dev/stdin' : file, 'utf8')
  } catch (error) {
    throw new CliError(
      `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      EXIT.notFound,
    )
  }
}

function json(given: string, file: string): unknown {
  try {
    return JSON.parse(given)
  } catch (error) {
    throw new CliError(`${file} is not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
}
