// Expectations and results as short texts, the same on the screen and in the documentation.

import type { Expected, Got, Result, Row } from './model.ts'

export function expectedWords(expect: Expected): string {
  const { state, problems, measured, seconds, renditions = {} } = expect
  const { kind, container, pages } = measured
  const made = Object.entries(renditions).flatMap(([name, { state: wanted, width, height }]) => [
    ...(wanted === 'ready' ? [] : [`${name} ${wanted}`]),
    ...(width === undefined || name !== 'video' ? [] : [`shown as ${width}x${height}`]),
  ])
  return [
    state,
    ...Object.entries(problems).map(([code, severity]) => `${code} (${severity})`),
    ...[container ?? kind ?? []].flat(),
    ...(seconds === undefined ? [] : [`${seconds} s`]),
    ...(pages === undefined ? [] : [pages === 1 ? '1 page' : `${pages} pages`]),
    ...made,
  ].join(', ')
}

/** "as expected", or the result and its differences. */
export function gotWords({ got, errors }: Pick<Result, 'got' | 'errors'>): string {
  if (errors.length === 0) return 'as expected'
  return [...(got === null ? [] : [verdictWords(got)]), ...errors].join('; ')
}

function verdictWords({ state, problems }: Got): string {
  return [state, ...Object.keys(problems)].join(', ')
}

export function placeWords({ place, verdictOnly }: Row): string {
  return `${place.profile} ${place.slot}${verdictOnly === true ? ', verdict only' : ''}`
}

export function secondsWords(seconds: number): string {
  return seconds < 10 ? seconds.toFixed(1) : String(Math.round(seconds))
}
