// The runbook as a page of the console, so that whoever is on duty can read it where the trouble is shown.
// No general Markdown: it knows what docs/runbook.md uses.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** The build copies it to the same place in `dist`. */
const PATH = join(import.meta.dirname, '../../../docs/runbook.md')

export async function runbookPage(): Promise<string> {
  const blocks = (await readFile(PATH, 'utf8')).trim().split(/\n{2,}/)
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Songngan runbook</title>
<link rel="stylesheet" href="console.css">
<body class="runbook">
<main>
${blocks.map(blockOf).join('\n')}
</main>
</html>
`
}

function blockOf(text: string): string {
  const [, marks, heading = ''] = /^(##?) (.*)$/.exec(text) ?? []
  if (marks === '#') return `<h1>${inline(heading)}</h1>`
  if (marks === '##') return `<h2 id="${anchorOf(heading)}">${inline(heading)}</h2>`
  if (text.startsWith('|')) return tableOf(text.split('\n'))
  const items = text.split(/\n(?=- |\d+\. )/)
  // Numbers stay in the text: one list begins with 0.
  if (/^(- |\d+\. )/.test(text)) return `<ul>${items.map((item) => `<li>${inline(item)}</li>`).join('')}</ul>`
  return `<p>${inline(text)}</p>`
}

/** As the links of the document, and those of the alerts, write it. */
function anchorOf(heading: string): string {
  return heading.trim().toLowerCase().replaceAll(' ', '-')
}

function tableOf([head = '', , ...rows]: readonly string[]): string {
  const row = (line: string, tag: string) => {
    const cells = line.split('|').slice(1, -1)
    return `<tr>${cells.map((cell) => `<${tag}>${inline(cell.trim())}</${tag}>`).join('')}</tr>`
  }
  return `<table>${row(head, 'th')}${rows.map((line) => row(line, 'td')).join('')}</table>`
}

/** Code, bold, italics, and links within the document; of links to other documents only the text. */
function inline(text: string): string {
  const parts = text.split('`').map((part, i) => (i % 2 === 1 ? `<code>${escaped(part)}</code>` : emphasized(part)))
  return parts.join('')
}

function emphasized(text: string): string {
  return escaped(text)
    .replace(/\[([^\]]+)\]\((#[\w-]+)\)/g, '<a href="$2">$1</a>')
    .replace(/\[([^\]]+)\]\([^)]+\)/g, '$1')
    .replace(/\*\*(.+?)\*\*/gs, '<strong>$1</strong>')
    .replace(/\*(.+?)\*/gs, '<em>$1</em>')
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
