// docs/corpus.md: the complete table of one run. A test compares it with the rows, so that the page stays up to date.

import { GROUPS, type Group, type Result, type Row } from './model.ts'
import { expectedWords, gotWords, placeWords, secondsWords } from './words.ts'

const TITLES: Record<Group, string> = {
  recordings: 'Cameras, phones and recorders',
  damaged: 'Incomplete and damaged files',
  claims: 'Wrong headers and tags',
  signals: 'Picture and sound',
  pdf: 'PDFs',
  disguises: 'Misleading names and first bytes',
  together: 'Verdicts that depend on other files of the submission',
  limits: 'Files on both sides of every enforced limit of the shipped profiles',
  hostile: 'Hostile files',
}

const HEAD = `# The corpus

Files of every kind that people hand in, by mistake or on purpose. Each is made by a generator, and has the verdict that a fair
and careful person would give. They go through the real lanes: verdict, inspection and renditions. Everything that is published is
checked with standard tools: it must be H.264 and AAC that decodes without an error, of the right size and length, with
its index in front, and without personal data.

\`\`\`
npm run corpus                              # all rows, on the screen
npm run corpus -- --group hostile           # one group
npm run corpus -- --docs docs/corpus.md     # writes this page
\`\`\`

Hostile files name a network address and a local file. During the run a listener waits at that address, and that file exists: a row
fails if the listener gets a connection or the file is read. In the group of hostile files the media tools run without isolation, so that their
own options alone must prevent this. Time is the sum of all lanes of one file; memory is the peak resident memory of the largest tool.
A row fails above 60 s (20 s for hostile files) or 640 MiB unless it says otherwise. The rows for limits are generated from the
profiles: one file on each side of a limit, run through the lanes in one slot; its measurements are checked by the rules of all other slots.

Files with a height of 180 pixels get LOW_RESOLUTION in most slots; that is expected. Malware has its own tests, with a scanner.

## Defects found

The expectations were written before the first run. Four were corrected later, because the expectation was wrong, not the verdict:
the size of \`old-phone-3gp\` (its pixels are square), the first sheet of \`pdf-speck\` (poppler cannot draw a third of a
millimetre; it is accepted anyway), \`months-between-pictures\` (a jump of the clock adds no duration), and that a file rejected on
inspection has no list of renditions (it is kept for a changed profile). All other differences were defects of the service, and were fixed:

| defect | file |
|---|---|
| a video whose only keyframe is black was rejected as black; two equal keyframes made a call count as a still picture | \`waking-camera\`, \`call-that-shrinks\` |
| a screen recording whose last frame lasts more than two seconds, or a stream that starts between two keyframes, was rejected as undecodable | \`held-picture\`, \`caught-in-mid-air\` |
| packets without a timestamp gave a program stream a duration of three million years | \`mpg-without-times\` |
| half an AVI, and a Matroska file of which the tools read only half, were accepted as complete; damage in the middle of an MP4 was not found | \`cut-avi\`, \`wiped-mkv\`, \`wiped-middle\` |
| the tools' estimate of a stream's duration was reported as a wrong duration in the file | \`joined-long-parts\` |
| a large comment tag, codecs of screen recorders, and Ogg where it is allowed made a video unreadable | \`large-tags\`, \`screen-avi\`, \`lossless-avi\`, \`ogg-school\` |
| a video stretched to ten days by its index was refused only by chance in slots without an enforced duration | \`ten-days\` |
| a hundred thousand boxes before the index stopped the worker for 45 s | \`hundred-thousand-boxes-first\` |
| a PDF without pages, and one locked by a certificate, were called damaged | \`pdf-no-page\`, \`pdf-certificate\` |
| empty lists of scripts and attachments, which editors leave behind, counted as scripts and attachments | \`pdf-no-scripts\`, \`pdf-detached\` |
| with a wrong page count, or a single keyframe, no poster or page picture was made | \`pdf-claims-nine\`, \`late-start\` |
| on a busy machine the timeout came before the CPU limit, so a hostile file counted as a system error | \`pdf-multiplying\` |
| a book of scans took minutes, and our time limit was reported as damage of the file; a file of a few hundred bytes did the same | \`pdf-scans-200\`, \`pdf-three-filters\` |
| plain text, and objects without a reference, counted as active content | \`pdf-role-map\`, \`pdf-script-nobody-calls\`, \`pdf-attachment-removed-later\` |
| errors that every viewer ignores were reported as damage, and pages that no viewer shows were accepted | \`pdf-slipshod-page\`, \`pdf-looped-tree\`, \`pdf-ruined-page\` |
| damage that no viewer reports was accepted: a third of the bytes are zeros; a fragmented recording that ends early was refused | \`hole-mp4\`, \`hole-ts\`, \`cut-fragments\` |
| pauses of the microphone, still screens, open GOPs, AVI with B-frames, attachments, and transport streams joined with a clock jump were reported as missing parts, or rejected | \`paused-microphone-mp4\`, \`still-and-silent\`, \`open-groups-cut\`, \`b-frames-avi\`, \`still-with-font\`, \`joined-minutes-apart\` |
| with an empty owner password, the tools opened a PDF that no viewer opens | \`pdf-empty-owner\` |
`

export type Machine = { cores: number; tools: string; isolation: string }

export function docsPage(results: readonly Result[], machine: Machine): string {
  const passed = results.filter(({ errors }) => errors.length === 0).length
  const total = results.reduce((sum, { cost }) => sum + cost.seconds, 0)
  const last = `${passed} of ${results.length} rows as expected, in ${Math.round(total)} s on ${machine.cores} cores (${machine.tools}; isolation: ${machine.isolation}).`
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

/** The columns of a line that depend on the row, not on a run. */
export function docsStart(row: Row): string {
  return [`\`${row.name}\``, row.about, placeWords(row), expectedWords(row.expect)]
    .map((cell) => cell.replaceAll('|', '\\|'))
    .join(' | ')
}
