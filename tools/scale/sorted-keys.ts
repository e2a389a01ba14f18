// Strings in order of their code units, millions of them: short sorted pieces, so that an insertion moves little.

const PIECE = 2000

export class SortedKeys {
  /** None is empty, but the only one. */
  readonly #pieces: string[][] = [[]]

  /** @param key none that is there already */
  add(key: string): void {
    const at = this.#pieceOf(key)
    const piece = this.#pieces[at] as string[]
    piece.splice(firstFrom(piece, key), 0, key)
    if (piece.length > PIECE) this.#pieces.splice(at + 1, 0, piece.splice(PIECE / 2))
  }

  remove(key: string): void {
    const at = this.#pieceOf(key)
    const piece = this.#pieces[at] as string[]
    const index = firstFrom(piece, key)
    if (piece[index] === key) piece.splice(index, 1)
    if (piece.length === 0 && this.#pieces.length > 1) this.#pieces.splice(at, 1)
  }

  /** In order, from this key on. What is added or removed meanwhile may be told or not; everything else is told once. */
  *from(key: string): Iterable<string> {
    let last = key
    for (let isFirst = true; ; isFirst = false) {
      const piece = this.#pieceFrom(last, isFirst)
      if (piece.length === 0) return
      yield* piece
      last = piece.at(-1) as string
    }
  }

  /** A copy of the rest of a piece, from a key on or after it. */
  #pieceFrom(key: string, inclusive: boolean): string[] {
    const at = this.#pieceOf(key)
    const piece = this.#pieces[at] as string[]
    const index = firstFrom(piece, key)
    const rest = piece.slice(piece[index] === key && !inclusive ? index + 1 : index)
    return rest.length > 0 ? rest : (this.#pieces[at + 1] ?? []).slice()
  }

  /** Index of the piece in which a key is, or belongs. */
  #pieceOf(key: string): number {
    let [low, high] = [0, this.#pieces.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#pieces[middle]?.[0] ?? '') <= key) low = middle
      else high = middle - 1
    }
    return low
  }
}

function firstFrom(keys: readonly string[], from: string): number {
  let [low, high] = [0, keys.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((keys[middle] ?? '') < from) low = middle + 1
    else high = middle
  }
  return low
}
