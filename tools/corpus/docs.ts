// docs/corpus.md: the whole table of one run. Tests compare it with the rows, so that it cannot fall behind them.

import { GROUPS, type Group, type Result, type Row } from './model.ts'
import { expectedWords, gotWords, placeWords, secondsWords } from './words.ts'

const TITLES: Record<Group, string> = {
  recordings: 'What people film and record with',
  damaged: 'Files that are not all there',
  claims: 'Headers and tags that lie',
  signals: 'What can be seen and heard',
  pdf: 'PDFs',
  disguises: 'Names and first bytes that promise something else',
  together: 'What else is in the submission',
  limits: 'On either side of every enforced limit of the shipped profiles',
  hostile: 'Files that want something',
}

const HEAD = `# The corpus

Files of every kind that people hand in, by mistake or on purpose, each made by a generator, each with the verdict that a fair
and careful person would give. They go through the real lanes: verdict, inspection and renditions; whatever is published is
looked at again with stock tools: it must be H.264 and AAC that decodes without a complaint, of the right size and length, with
its index in front, and without a word about anybody.

\`\`\`
npm run corpus                              # all of it, on the screen
npm run corpus -- --group hostile           # a part
npm run corpus -- --docs docs/corpus.md     # this page
\`\`\`

During the whole run a listener waits on an address that hostile files name, and a file lies where they look for it: the row fails
if the one hears or the other is read. In the last group the tools run without the fence that otherwise cuts them off from
the network, so that their own options have to hold alone. Time is that of all lanes of one file, memory the largest tool's resident
peak. A row fails beyond 60 s (20 s in the last group) or 640 MiB unless it says otherwise. Rows of the limits are made from the
profiles: one file on either side, through the lane in one slot and by its measurements through the rules of all others.

Files of 180 lines earn LOW_RESOLUTION in most slots; that is expected of them. Malware has tests of its own, with a scanner.

## How it came about, and what it found

Expectations were written down before the first run. Four were then corrected, since they and not the judgement were mistaken:
the size of \`old-phone-3gp\` (its pixels are square), the first sheet of \`pdf-speck\` (poppler cannot draw a third of a
millimetre; it is taken all the same), \`months-between-pictures\` (a jump of the clock is no time), and that a file rejected on
inspection has no list of renditions (it is kept for a changed profile). All other differences were defects, and were mended:

| what happened | file |
|---|---|
| a camera whose only keyframe is black was rejected as black; two keyframes that happen to be alike made a call stand still | \`waking-camera\`, \`call-that-shrinks\` |
| a screen recording whose last picture stays for more than two seconds, or a stream switched on between two keyframes, was rejected as undecodable | \`held-picture\`, \`caught-in-mid-air\` |
| packets without a time made a program stream last three million years | \`mpg-without-times\` |
| half an AVI, and a Matroska file of which the tools read only half, were taken for whole; damage in the middle of an MP4 was not seen | \`cut-avi\`, \`wiped-mkv\`, \`wiped-middle\` |
| the tools' guess at a stream's length was held against it as a lie | \`joined-long-parts\` |
| a large comment, and codecs of screen recorders, made a film unreadable; so did Ogg where it is allowed | \`large-tags\`, \`screen-avi\`, \`lossless-avi\`, \`ogg-school\` |
| a film stretched to ten days by its index was refused by chance only, where no length is enforced | \`ten-days\` |
| a hundred thousand boxes before the index stopped the worker for 45 s | \`hundred-thousand-boxes-first\` |
| a PDF without pages, and one locked by a certificate, were called damaged | \`pdf-no-page\`, \`pdf-certificate\` |
| empty lists of scripts and attachments, as editors leave them, were taken for scripts and attachments | \`pdf-no-scripts\`, \`pdf-detached\` |
| a wrong page count, or a stream with a single keyframe, cost the picture that stands for the file | \`pdf-claims-nine\`, \`late-start\` |
| on a busy machine the deadline came before the limit of processor time, which made a hostile file our fault | \`pdf-multiplying\` |
| a book of scans took minutes, and our limit was told as its damage; a few hundred bytes cost as much | \`pdf-scans-200\`, \`pdf-three-filters\` |
| words, and things that nothing points to, were taken for what acts | \`pdf-role-map\`, \`pdf-script-nobody-calls\`, \`pdf-attachment-removed-later\` |
| errors that every viewer overlooks were called damage, and pages that nobody sees were taken | \`pdf-slipshod-page\`, \`pdf-looped-tree\`, \`pdf-ruined-page\` |
| damage of which no viewer tells passed: a third of the bytes are zeros; a recording in fragments that breaks off was refused | \`hole-mp4\`, \`hole-ts\`, \`cut-fragments\` |
| an empty owner's password opened for the tools what no reader opens | \`pdf-empty-owner\` |
`

export type Machine = { cores: number; tools: string; isolation: string }

export function docsPage(results: readonly Result[], machine: Machine): string {
  const passed = results.filter(({ faults }) => faults.length === 0).length
  const total = results.reduce((sum, { cost }) => sum + cost.seconds, 0)
  const last = `${passed} of ${results.length} rows as expected, in ${Math.round(total)} s on ${machine.cores} cores (${machine.tools}; fence: ${machine.isolation}).`
  const parts = GROUPS.map((group) =>
    section(
      group,
      results.filter(({ row }) => row.group === group),
    ),
  )
  return `${HEAD}\n**${last}**\n\n${parts.join('\n')}`
}

function section(group: Group, results: readonly Result[]): string {
  const lines = results.map(
    (result) =>
      `| ${docsStart(result.row)} | ${gotWords(result)} | ${secondsWords(result.cost.seconds)} | ${Math.round(result.cost.toolMebibytes)} |`,
  )
  const head = '| file | what it is | place | expected | got | s | MiB |\n|---|---|---|---|---|---|---|'
  return `## ${TITLES[group]}\n\n${head}\n${lines.join('\n')}\n`
}

/** The part of a line that the table alone decides. */
export function docsStart(row: Row): string {
  return [`\`${row.name}\``, row.about, placeWords(row), expectedWords(row.expect)]
    .map((cell) => cell.replaceAll('|', '\\|'))
    .join(' | ')
}
