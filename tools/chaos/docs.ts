// docs/chaos.md: the table of one whole run.

import { FAULT_POINTS } from '../../src/core/fault-points.ts'
import type { Result } from './model.ts'

const HEAD = `# Chaos

What became of uploads while processes were killed at named steps, lines were cut, Redis forgot and stores refused. Made by

\`\`\`
npm run chaos                          # the whole; writes this page
npm run chaos -- --only take-over      # rows whose name holds a word
npm run chaos -- --store s3            # one store
\`\`\`

A **fault point** is a named step in the code (\`src/core/fault-points.ts\`). A run of the suite puts a file with an order into a
folder that the process was told of (\`FAULT_POINTS\`, refused unless it listens on loopback); at that step the process
writes down that it was there and sends itself SIGKILL. It is started again, as a process manager would do. Everything is real: Redis with
an append-only file, an S3 server or a directory, tus-js-client that tries again, ffmpeg, a portal that receives webhooks.

**The audit** of every row, once nothing moves any more: the stored file has the SHA-256 of what was sent; the record's versions
have no gap and hold exactly one outcome; no object lies in the store that no record accounts for, no multipart upload is left open,
no scratch folder, no tool's process; every version that is an event was told exactly once under its own number, and delivered to the portal
unchanged; a webhook came a second time only where a worker died between its delivery and the note of it, with the same id and
the same body.

\`hits\`: how often it happened. \`skipped\`: numbers of a submission's sequence that nothing carries. A process that dies
between drawing a number and using it leaves one; numbers rise and are never given twice, which is what they promise.
Where Redis is made to forget, its log of events is gone too: files, outcomes and objects are audited, not what was told.
`

export function docsPage(results: readonly Result[], seconds: number): string {
  const points = new Set(results.filter(({ group }) => group === 'fault point').map(({ name }) => name))
  const hit = FAULT_POINTS.filter((point) => results.some(({ name, hits }) => name === point && hits > 0))
  const clean = results.filter(({ hits, faults }) => hits > 0 && faults.length === 0).length
  const summary = `${FAULT_POINTS.length} fault points, ${hit.length} of them hit; ${results.length} rows, ${clean} clean; ${Math.round(seconds)} s.`
  const missing = FAULT_POINTS.filter((point) => !points.has(point))
  return [
    HEAD,
    `**The last run:** ${summary}${missing.length === 0 ? '' : ` Not asked for: ${missing.join(', ')}.`}\n`,
    '| | store | what died or went wrong | hits | outcome | skipped | s | audit |',
    '|---|---|---|---|---|---|---|---|',
    ...results.map(rowOf),
    '',
  ].join('\n')
}

function rowOf({ group, name, store, what, hits, outcome, skipped, seconds, faults }: Result): string {
  const title = group === 'fault point' && what !== 'audit' ? `\`${name}\`` : `${group}: ${name}`
  const audit = hits === 0 ? 'never hit' : faults.length === 0 ? 'clean' : faults.join('; ').replaceAll('|', '\\|')
  return `| ${title} | ${store} | ${what} | ${hits} | ${outcome} | ${skipped} | ${seconds.toFixed(1)} | ${audit} |`
}
