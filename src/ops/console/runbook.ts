// The runbook as a page of the console, so that whoever is on duty can read it where the trouble is shown.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Marked } from 'marked'

/** The build copies it to the same place in `dist`. */
const PATH = join(import.meta.dirname, '../../../docs/runbook.md')

/** HTML in the document is shown as text. Links lead within the document: other documents are not served here. */
const markdown = new Marked({
  renderer: {
    html: ({ text }) => escaped(text),
    image: ({ text }) => escaped(text),
    heading({ tokens, depth, text }) {
      return `<h${depth} id="${escaped(anchorOf(text))}">${this.parser.parseInline(tokens)}</h${depth}>\n`
    },
    link({ href, tokens }) {
      const words = this.parser.parseInline(tokens)
      return href.startsWith('#') ? `<a href="${escaped(href)}">${words}</a>` : words
    },
  },
})

export async function runbookPage(): Promise<string> {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Songngan runbook</title>
<link rel="stylesheet" href="console.css">
<body class="runbook">
<main>
${htmlOf(await readFile(PATH, 'utf8'))}
</main>
</html>
`
}

/** @internal */
export function htmlOf(text: string): string {
  return markdown.parse(text, { async: false })
}

/** As the links of the document, and those of the alerts, write it. */
function anchorOf(heading: string): string {
  return heading.trim().toLowerCase().replaceAll(' ', '-')
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
