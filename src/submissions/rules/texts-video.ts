// Texts of the problems of videos.

import type { ProblemCode } from './codes.ts'
import type { Texts } from './facts.ts'
import { clock, decimals, excess, formatName, formatNames, span } from './format.ts'

export const VIDEO_TEXTS = {
  RECORDING_CUT_OFF: ({ name, actual }) => ({
    th: `ตอนท้ายของ${name.th}ขาดหายไป ระบบอ่านได้ ${clock(actual)} และใช้ความยาวนี้ โปรดเปิดดูช่วงท้าย หากเนื้อหาไม่ครบ โปรดคัดลอกไฟล์จากต้นฉบับใหม่แล้วเปลี่ยนไฟล์`,
    en: `The ${name.en} is cut off at its end; ${clock(actual)} of it can be read, and this length counts. Watch the end: if something is missing, copy the original again and replace the file.`,
  }),
  RECORDING_HAS_GAPS: ({ name, actual, gaps, more }) => {
    const places = gaps.map(({ startSeconds, seconds }) => ({ at: clock(startSeconds), lasts: span(whole(seconds)) }))
    const thai = places.map(({ at, lasts }) => `${at} (${lasts.th})`).join(', ')
    const english = places.map(({ at, lasts }) => `${at} (${lasts.en})`).join(', ')
    return {
      th: `${name.th}มีช่วงที่ข้อมูลเสียหาย เปิดดูไม่ได้ รวม ${span(whole(actual)).th} เริ่มที่ ${thai}${more > 0 ? ` และอีก ${more} ช่วง` : ''} โปรดเปิดดูช่วงดังกล่าว หากเนื้อหาไม่ครบ โปรดคัดลอกไฟล์จากต้นฉบับใหม่แล้วเปลี่ยนไฟล์`,
      en: `Parts of the ${name.en} are damaged and cannot be watched, ${span(whole(actual)).en} in all, beginning at ${english}${more > 0 ? ` and at ${more} more places` : ''}. Watch there: if something is missing, copy the original again and replace the file.`,
    }
  },
  VIDEO_UNCHECKED: ({ name }) => ({
    th: `${name.th}มีขนาดภาพหรือความซับซ้อนมากจนระบบตรวจได้ไม่ครบ ยื่นได้ตามปกติ โปรดเปิดดูด้วยตนเองว่าภาพและเสียงครบถ้วน`,
    en: `The ${name.en} is too large or intricate for everything to be checked here; it can be handed in. Please play it and see that picture and sound are all there.`,
  }),
  NO_VIDEO: ({ name }) => ({
    th: `${name.th}ไม่มีภาพ มีแต่เสียง โปรดเลือกไฟล์วีดิทัศน์ที่มีภาพ แล้วส่งใหม่`,
    en: `The ${name.en} has no picture. Choose a file with picture and upload it again.`,
  }),
  NO_AUDIO: ({ name }) => ({
    th: `${name.th}ไม่มีเสียง โปรดตรวจดูว่าไฟล์ต้นฉบับมีเสียง แล้วส่งไฟล์ที่มีเสียง`,
    en: `The ${name.en} has no sound. Check that the original has sound, and upload a file with sound.`,
  }),
  DURATION_EXCEEDED: ({ name, limit, actual }) => ({
    th: `${name.th}ยาว ${clock(actual)} เกิน ${span(limit).th}ไป ${excess(actual, limit).th} โปรดทำให้ยาวไม่เกิน ${span(limit).th} แล้วส่งใหม่`,
    en: `The ${name.en} is ${clock(actual)} long, ${excess(actual, limit).en} over the limit of ${span(limit).en}. Make it no longer than ${span(limit).en} and upload it again.`,
  }),
  DURATION_TOO_SHORT: ({ name, limit, actual }) => ({
    th: `${name.th}ยาวเพียง ${span(actual).th} ต้องยาวอย่างน้อย ${span(limit).th} โปรดตรวจดูว่าเลือกไฟล์ถูกต้อง แล้วส่งใหม่`,
    en: `The ${name.en} is only ${span(actual).en} long; at least ${span(limit).en} is needed. Check that it is the right file and upload it again.`,
  }),
  DURATION_SHORT: ({ name, limit, actual }) => ({
    th: `${name.th}ยาวเพียง ${clock(actual)} ซึ่งสั้นกว่า ${span(limit).th} หากเลือกไฟล์ผิด โปรดเปลี่ยนไฟล์ก่อนยื่น`,
    en: `The ${name.en} is only ${clock(actual)} long, less than ${span(limit).en}. If it is the wrong file, replace it before you hand in.`,
  }),
  DURATION_INCONSISTENT: ({ name, claimedSeconds, judgedSeconds }) => ({
    th: `ไฟล์ของ${name.th}ระบุความยาว ${clock(claimedSeconds)} แต่เนื้อหาจริงยาว ${clock(judgedSeconds)} ระบบใช้ความยาวจริง หากไม่ตรงกับที่ถ่ายไว้ โปรดส่งออกไฟล์ใหม่จากต้นฉบับ`,
    en: `The ${name.en} states a length of ${clock(claimedSeconds)}, but its content is ${clock(judgedSeconds)} long. The real length counts. If that is not what you filmed, export it again from the original.`,
  }),
  CODEC_UNCOMMON: ({ name, limit, actual, unknown }) => {
    const [codec, advised] = [formatName(actual), formatNames(limit)]
    if (unknown === 'picture')
      return {
        th: `ภาพของ${name.th}เข้ารหัสแบบ ${codec} ซึ่งระบบและเครื่องส่วนใหญ่เปิดไม่ได้ โปรดส่งออกเป็น MP4 (${advised}) แล้วส่งอีกครั้ง การแปลงไฟล์ไม่ถือเป็นการตัดต่อ`,
        en: `The picture of the ${name.en} is encoded as ${codec}, which neither this system nor most devices can play. Export it as MP4 (${advised}) and upload it again; converting is not editing.`,
      }
    if (unknown === 'sound')
      return {
        th: `เสียงของ${name.th}เข้ารหัสแบบ ${codec} ซึ่งระบบเปิดไม่ได้ ฉบับสำหรับรับชมจึงไม่มีเสียง โปรดส่งออกเป็น MP4 (เสียง ${advised}) แล้วเปลี่ยนไฟล์ก่อนยื่น การแปลงไฟล์ไม่ถือเป็นการตัดต่อ`,
        en: `The sound of the ${name.en} is encoded as ${codec}, which this system cannot play, so the copy for viewing has no sound. Export it as MP4 (sound as ${advised}) and replace it before you hand in; converting is not editing.`,
      }
    return {
      th: `${name.th}เข้ารหัสแบบ ${codec} ซึ่งบางเครื่องเปิดไม่ได้ (แนะนำ ${advised}) ระบบจะทำฉบับสำหรับรับชมให้ ไม่ต้องแปลงเอง`,
      en: `The ${name.en} is encoded as ${codec}, which some devices cannot play (${advised} is recommended). A copy for viewing is made for you; you need not convert it.`,
    }
  },
  LOW_RESOLUTION: ({ name, limit, actual }) => ({
    th: `ภาพของ${name.th}มีความละเอียดเพียง ${actual}p ต่ำกว่าที่แนะนำ ${limit}p กรรมการอาจเห็นไม่ชัด หากมีไฟล์ที่คมชัดกว่า โปรดเปลี่ยนไฟล์`,
    en: `The picture of the ${name.en} has only ${actual}p; ${limit}p or more is recommended. Assessors may not see enough detail: replace it if you have a sharper file.`,
  }),
  FRAME_RATE_HIGH: ({ name, limit, actual }) => ({
    th: `${name.th}มี ${decimals(actual)} ภาพต่อวินาที เกิน ${decimals(limit)} ภาพต่อวินาที ระบบจะทำฉบับสำหรับรับชมที่อัตราปกติให้ ไม่ต้องแปลงเอง`,
    en: `The ${name.en} has ${decimals(actual)} frames per second, more than ${decimals(limit)}. A copy for viewing is made at the usual rate; you need not convert it.`,
  }),
  PORTRAIT: ({ name, actual }) => ({
    th: `${name.th}เป็นภาพแนวตั้ง (${actual}) แนะนำให้ถ่ายแนวนอนเพื่อให้เห็นชั้นเรียนกว้างขึ้น หากตั้งใจถ่ายแนวตั้งก็ยื่นได้`,
    en: `The ${name.en} is in portrait format (${actual}). Landscape shows more of the class; if portrait is intended, you can hand it in.`,
  }),
  NOT_STREAMABLE: ({ name }) => ({
    th: `ดัชนีของ${name.th}อยู่ท้ายไฟล์ ต้องโหลดทั้งไฟล์ก่อนเล่น ระบบจะทำฉบับสำหรับรับชมที่เล่นได้ทันทีให้ ไม่ต้องทำอะไรเพิ่ม`,
    en: `The index of the ${name.en} is at the end of the file, so playing starts only after the whole file is loaded. A copy for viewing that plays at once is made; you need not do anything.`,
  }),
  MULTI_AUDIO: ({ name, actual }) => ({
    th: `${name.th}มีเสียง ${actual} แทร็ก ฉบับสำหรับรับชมใช้เพียงแทร็กเดียว โปรดเปิดฟังว่าเป็นเสียงการสอน`,
    en: `The ${name.en} has ${actual} sound tracks; the copy for viewing has one of them. Listen to it and check that it is the right one.`,
  }),
  VIDEO_UNDECODABLE: ({ name }) => ({
    th: `เปิดภาพของ${name.th}ไม่ได้ ไฟล์อาจเสียหายหรือถูกล็อก โปรดเปิดไฟล์ต้นฉบับดูให้จบ ส่งออกใหม่เป็น MP4 แล้วส่งอีกครั้ง`,
    en: `The picture of the ${name.en} cannot be read; the file may be damaged or locked. Play the original to its end, export it as MP4, then upload it again.`,
  }),
  AUDIO_UNDECODABLE: ({ name, actual }) => ({
    th: `เปิดเสียงของ${name.th} (${formatName(actual)}) ไม่ได้ เสียงอาจเสียหาย ฉบับสำหรับรับชมจึงไม่มีเสียง โปรดเปิดฟังไฟล์ต้นฉบับ ส่งออกใหม่เป็น MP4 แล้วเปลี่ยนไฟล์ก่อนยื่น`,
    en: `The sound of the ${name.en} (${formatName(actual)}) cannot be read and may be damaged, so that the copy for viewing has no sound. Listen to the original, export it as MP4 and replace the file before you hand in.`,
  }),
  SILENT_AUDIO: ({ name }) => ({
    th: `${name.th}แทบไม่มีเสียงเลย โปรดเปิดฟังว่าได้ยินเสียงการสอนหรือไม่ หากไม่ได้ยิน โปรดเปลี่ยนไฟล์ก่อนยื่น`,
    en: `The ${name.en} is almost silent. Listen to it; if you hear nothing, replace it before you hand in.`,
  }),
  BLACK_VIDEO: ({ name, actual }) => ({
    th: `ภาพของ${name.th}มืดดำราวร้อยละ ${Math.round(actual)} ของความยาว โปรดเปิดดูว่าภาพถูกต้อง หากไม่ถูกต้อง โปรดเปลี่ยนไฟล์ก่อนยื่น`,
    en: `The picture of the ${name.en} is black for about ${Math.round(actual)} % of its length. Watch it; if it is wrong, replace it before you hand in.`,
  }),
  BLACK_VIDEO_ENTIRE: ({ name }) => ({
    th: `ภาพของ${name.th}มืดดำเกือบตลอด มองไม่เห็นเนื้อหา โปรดตรวจไฟล์ต้นฉบับ แล้วส่งใหม่`,
    en: `The picture of the ${name.en} is black almost all the time; nothing can be seen. Check the original and upload it again.`,
  }),
  FROZEN_VIDEO: ({ name, actual }) => ({
    th: `ภาพของ${name.th}หยุดนิ่งราวร้อยละ ${Math.round(actual)} ของความยาว โปรดเปิดดูว่าภาพไม่ค้าง หากค้าง โปรดเปลี่ยนไฟล์ก่อนยื่น`,
    en: `The picture of the ${name.en} is frozen for about ${Math.round(actual)} % of its length. Watch it; if it is wrong, replace it before you hand in.`,
  }),
  AV_LENGTH_MISMATCH: ({ name, actual, videoSeconds, audioSeconds }) => ({
    th: `ภาพและเสียงของ${name.th}ยาวไม่เท่ากัน ภาพ ${clock(videoSeconds)} เสียง ${clock(audioSeconds)} ต่างกัน ${span(actual).th} โปรดเปิดดูช่วงท้ายว่าครบถ้วน`,
    en: `Picture and sound of the ${name.en} differ in length: ${clock(videoSeconds)} and ${clock(audioSeconds)}, ${span(actual).en} apart. Watch the end and check that nothing is missing.`,
  }),
  PLAN_TIME_MISMATCH: ({ name, limit, actual }) => ({
    th: `${name.th}ยาว ${clock(actual)} แต่แผนการจัดการเรียนรู้ระบุ ${span(limit).th} ต่างกัน ${span(Math.abs(actual - limit)).th} โปรดตรวจว่าวีดิทัศน์ตรงกับแผน หรือแก้เวลาที่กรอกไว้`,
    en: `The ${name.en} is ${clock(actual)} long, but the lesson plan says ${span(limit).en}: a difference of ${span(Math.abs(actual - limit)).en}. Check that the video matches the plan, or correct the planned time.`,
  }),
} satisfies Partial<Texts<ProblemCode>>

/** Less than a second is one. */
function whole(seconds: number): number {
  return Math.max(1, Math.round(seconds))
}
