// `--ca FILE`: certificate authorities of one's own, besides the well-known ones. Node reads them from NODE_EXTRA_CA_CERTS
// before a program begins, so scripts/run.mjs sets it; here it is only checked.

import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Environment } from './settings.ts'
import { UsageError } from './usage.ts'

/** Throws UsageError if the file is no certificate, or if this process was started without it. */
export function checkCa(file: string | undefined, env: Environment): void {
  if (file === undefined) return
  const path = resolve(file)
  try {
    new X509Certificate(readFileSync(path))
  } catch (error) {
    throw new UsageError(`--ca ${file}: ${error instanceof Error ? error.message : String(error)}`)
  }
  if (env['NODE_EXTRA_CA_CERTS'] !== path)
    throw new UsageError(`--ca is for \`npm run\`; here set NODE_EXTRA_CA_CERTS=${path}`)
}
