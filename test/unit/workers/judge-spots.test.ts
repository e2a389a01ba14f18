// Whether a picture can be watched. A limit of ours is never the file's fault.

import { describe, expect, it } from 'vitest'
import { judgeSpots } from '../../../workers/lanes/judge-spots.ts'
import type { Spot } from '../../../workers/media/spot-decode.ts'

const spot = (at: Spot['at'], seconds: number, frames: number, limited = false): Spot => ({
  at,
  seconds,
  frames,
  errors: 0,
  limited,
})
const three = (first: number, middle: number, last: number): Spot[] => [
  spot('first', 0, first),
  spot('middle', 30, middle),
  spot('last', 58, last),
]

const NONE = { gaps: [], dark: [] }
const at = (startSeconds: number, seconds: number) => [{ startSeconds, seconds }]

describe('judgeSpots', () => {
  it('finds a picture that shows everywhere', () => {
    expect(judgeSpots(three(50, 50, 50), NONE, 60)).toEqual({ decodable: true, signals: {} })
  })

  it('finds none that shows nowhere', () => {
    expect(judgeSpots(three(0, 0, 0), NONE, 60).decodable).toBe(false)
  })

  it('takes a spot without a frame for a hole, and says where', () => {
    expect(judgeSpots(three(50, 0, 50), NONE, 60)).toEqual({
      decodable: true,
      signals: { gaps: [{ startSeconds: 30, seconds: 2 }] },
    })
    const known = { startSeconds: 20, seconds: 18.04 }
    expect(judgeSpots(three(50, 0, 50), { ...NONE, gaps: [known] }, 60).signals).toEqual({
      gaps: [{ startSeconds: 20, seconds: 18 }],
    })
  })

  it('refuses a picture that breaks off, and one of which most does not decode', () => {
    expect(judgeSpots(three(50, 0, 0), { gaps: at(30, 30), dark: at(30, 30) }, 60).decodable).toBe(false)
    expect(judgeSpots(three(50, 0, 50), { gaps: at(5, 45), dark: at(5, 45) }, 60).decodable).toBe(false)
    expect(judgeSpots(three(50, 0, 50), { gaps: at(15, 30), dark: at(15, 30) }, 60).decodable).toBe(true)
  })

  it('only warns of holes, however large, as long as the picture is not seen to be undecodable', () => {
    const holes = { gaps: at(5, 50), dark: [] }
    expect(judgeSpots(three(50, 50, 50), holes, 60)).toEqual({ decodable: true, signals: { gaps: at(5, 50) } })
    expect(judgeSpots(three(50, 50, 0), { gaps: at(10, 50), dark: [] }, 60).decodable).toBe(true)
  })

  it('judges nothing by shares of a length that is not known', () => {
    expect(judgeSpots(three(50, 50, 50), NONE, 0).decodable).toBe(true)
  })

  it('knows nothing of a spot that came to a limit of ours', () => {
    const limited = [spot('first', 0, 0, true), spot('middle', 30, 0, true)]
    expect(judgeSpots(limited, NONE, 60)).toEqual({ signals: { unchecked: true } })
    expect(judgeSpots([...limited, spot('last', 58, 12)], NONE, 60)).toEqual({ decodable: true, signals: {} })
    expect(judgeSpots([spot('first', 0, 3, true)], NONE, 60)).toEqual({ decodable: true, signals: {} })
  })
})
