// Opens a PDF with qpdf as viewers do: errors that they tolerate are repaired in a copy, which is opened again.

import { OBJECTS_ARGS, type PdfObjects, readObjects } from './pdf-json.ts'
import { HIDDEN_ENCRYPT, withoutHugeNumbers, withoutLock, withoutTail, withTablePointer } from './pdf-mend.ts'
import type { ToolContext } from './probe.ts'
import type { ToolLimits } from './run.ts'
import type { LocalSource } from './source.ts'

export type OpenedPdf = {
  /** Null: it cannot be opened. */
  objects: PdfObjects | null
  /** A password, a certificate or a program is needed that only some people have. */
  locked: boolean
  encrypted: boolean
  /** The file that was finally opened: the given one, or a copy in the scratch folder. */
  path: string
  /** The cross-reference table had to be reconstructed. */
  rebuilt: boolean
  complaints: boolean
  /** qpdf's last words. */
  detail: string
}

const LOCKED = /invalid password|unsupported encryption filter|Unsupported \/[RV]/
const REBUILT = /Attempting to reconstruct cross-reference table/
const NO_TABLE = /unable to find trailer dictionary/
const HUGE_NUMBER = /overflow\/underflow converting/

type Listing = { objects: PdfObjects | null; code: number; stderr: string }

/**
 * @param options.end where the file ends by its own mark, or null
 * @throws {ToolError} a limit that was reached, or a system error
 */
export async function openPdf(
  context: ToolContext,
  source: LocalSource,
  { end, limits }: { end: number | null; limits: ToolLimits },
): Promise<OpenedPdf> {
  const trimmed = end === null ? null : await withoutTail(source, end, context.cwd)
  let path = trimmed ?? source.path
  let listing = await list(context, path, limits)
  const again = async (copy: string): Promise<void> => {
    path = copy
    listing = await list(context, path, limits)
  }
  if (listing.objects === null && NO_TABLE.test(listing.stderr)) {
    const pointed = await withTablePointer(path, context.cwd)
    if (pointed !== null) await again(pointed)
  }
  if (HUGE_NUMBER.test(listing.stderr)) await again(await withoutHugeNumbers(path, context.cwd))

  let encrypted = listing.objects?.encryption.encrypted ?? LOCKED.test(listing.stderr)
  let locked = listing.objects === null ? encrypted : !listing.objects.encryption.opens
  if (locked) {
    const lockedPath = path
    await again(await withoutLock(path, context.cwd))
    locked = listing.objects === null || !locksOnlyAttachments(listing.objects)
    encrypted = true
    if (locked) return { ...opened(lockedPath, listing), objects: null, locked, encrypted }
  }
  return { ...opened(path, listing), locked, encrypted }
}

function opened(path: string, { objects, code, stderr }: Listing): Omit<OpenedPdf, 'locked' | 'encrypted'> {
  return {
    objects,
    path,
    rebuilt: REBUILT.test(stderr),
    complaints: code === 3,
    // The last line is what made it give up.
    detail: stderr.trim().slice(-500),
  }
}

/** Exit 3: with warnings. */
async function list(context: ToolContext, path: string, limits: ToolLimits): Promise<Listing> {
  const chunks: Buffer[] = []
  const { code, stderrTail } = await context.runner.run({
    tool: 'qpdf',
    args: [...OBJECTS_ARGS, path],
    limits,
    cwd: context.cwd,
    reads: [path],
    signal: context.signal,
    okCodes: [0, 2, 3],
    onStdout: (chunk) => chunks.push(chunk),
  })
  return { objects: code === 2 ? null : readObjects(Buffer.concat(chunks)), code, stderr: stderrTail }
}

/** The crypt filters of texts and streams are Identity, which is the default: no password is needed for those. */
function locksOnlyAttachments(objects: PdfObjects): boolean {
  const lock = objects.dict(objects.trailer[HIDDEN_ENCRYPT])
  if (lock === null) return false
  const version = objects.resolve(lock['/V']).value
  const isPlain = (key: string) => [null, '/Identity'].some((name) => objects.resolve(lock[key]).value === name)
  const isStandard = objects.resolve(lock['/Filter']).value === '/Standard'
  return isStandard && (version === 4 || version === 5) && isPlain('/StmF') && isPlain('/StrF')
}
