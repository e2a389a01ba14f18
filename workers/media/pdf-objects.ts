// Readers over qpdf's JSON of a hostile PDF. It is read line by line as it comes: the object list of a large file can be
// hundreds of megabytes, and neither a string nor a name in the file can imitate what is looked for, because inside JSON
// strings every quotation mark is escaped and every PDF string starts with `u:` or `b:`.

/** What a PDF does besides being read. `OPEN_ACTION` and `PAGE_ACTION` alone are usually a harmless "fit the page". */
export type ActiveContent =
  | 'JAVASCRIPT'
  | 'LAUNCH'
  | 'EMBEDDED_FILE'
  | 'RICH_MEDIA'
  | 'XFA'
  | 'SUBMIT_FORM'
  | 'IMPORT_DATA'
  | 'REMOTE_GOTO'
  | 'OPEN_ACTION'
  | 'PAGE_ACTION'

/**
 * Names as keys (`"/JS":`) or as values (`"/S": "/JavaScript"`); escapes such as `/J#53` are undone by qpdf. Lists of
 * scripts and of attachments (`/Names << /JavaScript … /EmbeddedFiles … >>`) are not among them: editors leave them behind
 * empty, and what is in them shows by itself.
 */
const NAMES: Record<string, ActiveContent> = {
  '/JS': 'JAVASCRIPT',
  '/JavaScript': 'JAVASCRIPT',
  '/Launch': 'LAUNCH',
  '/EF': 'EMBEDDED_FILE',
  '/EmbeddedFile': 'EMBEDDED_FILE',
  '/FileAttachment': 'EMBEDDED_FILE',
  '/RichMedia': 'RICH_MEDIA',
  '/RichMediaExecute': 'RICH_MEDIA',
  '/Rendition': 'RICH_MEDIA',
  '/Movie': 'RICH_MEDIA',
  '/XFA': 'XFA',
  '/SubmitForm': 'SUBMIT_FORM',
  '/ImportData': 'IMPORT_DATA',
  '/GoToR': 'REMOTE_GOTO',
  '/GoToE': 'REMOTE_GOTO',
  '/OpenAction': 'OPEN_ACTION',
  '/AA': 'PAGE_ACTION',
}

/** `/JavaScript` counts as a value only: as a key it names the list of scripts. */
const PATTERNS = Object.keys(NAMES).map((name) => (name === '/JavaScript' ? `${name}(?="(?!:))` : name))
const NAME_TOKEN = new RegExp(`(?<!\\\\)"(${PATTERNS.join('|')})"`, 'g')
const LONG_LINE_CHARS = 64 * 1024
/** More than the longest name with its quotes. */
const OVERLAP_CHARS = 64

/** Consumes `qpdf --json=2 --json-key=qpdf`. */
export function activeContentReader(): { push(chunk: Buffer): void; found(): ActiveContent[] } {
  const found = new Set<ActiveContent>()
  const lines = lineReader((text) => {
    for (const [, name] of text.matchAll(NAME_TOKEN)) {
      const kind = NAMES[name ?? '']
      if (kind) found.add(kind)
    }
  })
  return {
    push: lines.push,
    found() {
      lines.end()
      return [...found].sort()
    },
  }
}

export type PageCount = { pages: number; maxImagesPerPage: number }

/** Consumes `qpdf --json=2 --json-key=pages`, where the tree has been walked: `/Count` is only a claim. */
export function pageReader(): { push(chunk: Buffer): void; count(): PageCount } {
  let pages = 0
  let images = 0
  let maxImagesPerPage = 0
  const lines = lineReader((line) => {
    if (/^\s*"bitspercomponent":/.test(line)) images++
    if (!/^\s*"pageposfrom1":/.test(line)) return
    pages++
    maxImagesPerPage = Math.max(maxImagesPerPage, images)
    images = 0
  })
  return {
    push: lines.push,
    count() {
      lines.end()
      return { pages, maxImagesPerPage }
    },
  }
}

/** Lines of a stream; one beyond {@link LONG_LINE_CHARS} (a script of megabytes) comes in overlapping pieces. */
function lineReader(onLine: (line: string) => void): { push(chunk: Buffer): void; end(): void } {
  let partial = ''
  return {
    push(chunk) {
      const lines = (partial + chunk.toString('latin1')).split('\n')
      partial = lines.pop() ?? ''
      for (const line of lines) onLine(line)
      if (partial.length < LONG_LINE_CHARS) return
      onLine(partial)
      // The first character is no line start any more: keep it from looking like one.
      partial = `…${partial.slice(-OVERLAP_CHARS)}`
    },
    end() {
      if (partial !== '') onLine(partial)
      partial = ''
    },
  }
}
