// Runs in the page that is measured, before its own scripts: what only a page can see of itself.
// Times are in ms since the navigation began.
performance.setResourceTimingBufferSize(5000) // of itself it keeps 250
window.probe = {
  /** When the first contact was on the screen, and the frame with it had been drawn. */
  firstRow: undefined,
  /** When after that the page had nothing more to do, and so answered at once to whatever is done in it. */
  interactive: undefined,
  /** When the last change of the table so far had been drawn. */
  painted: 0,
  /** From the last key to the frame in which the number of those who meet the criteria stood there, and the one that is exact; in ms. */
  counted: undefined,
  countedExactly: undefined,
  answered: () =>
    performance
      .getEntriesByType('resource')
      .filter(({ name }) => name.endsWith('/contacts/search'))
      .at(-1)?.responseEnd ?? 0,
  scripts: () =>
    performance
      .getEntriesByType('resource')
      .filter(({ name }) => name.endsWith('.js'))
      .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0),
  /** Resolves in the first frame in which it is so. Written here, as the pages' policy lets nobody else evaluate a text. */
  until: async (isSo) => {
    while (!isSo()) await frame()
  },
  rows: () => document.querySelectorAll('[role="row"] a').length,
  /** Whether a contact stands at the top, in the middle and at the end of what is on the screen of the table. */
  isDrawn: () => {
    const { left, top, bottom } = document.querySelector('[role="table"] [role="rowgroup"]').getBoundingClientRect()
    return [top + 60, (top + bottom) / 2, Math.min(bottom, innerHeight) - 60].every((y) =>
      document.elementFromPoint(left + 120, y)?.closest('[role="row"]'),
    )
  },
  /**
   * Scrolls a screen a frame, as fast as frames come, until a row is reached, or the end; answers the longest time, in ms, for
   * which a part of the table was blank, counted from the last frame in which none was, what it took, and how far it came.
   */
  scroll: async (toRow, rowPx) => {
    const box = document.querySelector('[role="table"] [role="rowgroup"]')
    const began = performance.now()
    let drawnAt = began
    let longest = 0
    let stuck = 0
    while (box.scrollTop < toRow * rowPx && stuck < 600) {
      const before = box.scrollTop
      box.scrollTop += box.clientHeight
      stuck = box.scrollTop === before ? stuck + 1 : 0
      await frame()
      const now = performance.now()
      if (window.probe.isDrawn()) drawnAt = now
      else longest = Math.max(longest, now - drawnAt)
    }
    return { longest, ms: performance.now() - began, row: Math.round(box.scrollTop / rowPx) }
  },
  /** Jumps to a row that was there once; answers the ms until the table is drawn, and of these those since the last answer. */
  jump: async (toRow, rowPx) => {
    const box = document.querySelector('[role="table"] [role="rowgroup"]')
    const began = performance.now()
    box.scrollTop = toRow * rowPx
    do await frame()
    while (!window.probe.isDrawn())
    const drawn = performance.now()
    return { ms: drawn - began, painted: drawn - Math.max(began, window.probe.answered()) }
  },
}

/** Resolves in the next frame, once what changed before has been drawn. */
const frame = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))

new MutationObserver((changes) => {
  if (!changes.some(({ target }) => target instanceof Element && target.closest('main'))) return
  requestAnimationFrame(() =>
    setTimeout(() => {
      window.probe.painted = performance.now()
      if (window.probe.firstRow !== undefined || window.probe.rows() === 0) return
      window.probe.firstRow = performance.now()
      requestIdleCallback(() => {
        window.probe.interactive = performance.now()
      })
    }),
  )
}).observe(document, { childList: true, subtree: true, characterData: true })

/** What the builder says of how many meet criteria as they stand; while that is not known it says something else. */
const countShown = () =>
  [...document.querySelectorAll('main [role="status"]')].find(({ textContent }) => /meets? this$/.test(textContent))
    ?.textContent

let keys = 0
addEventListener(
  'keydown',
  async ({ timeStamp }) => {
    const key = ++keys
    window.probe.counted = window.probe.countedExactly = undefined
    while (window.probe.countedExactly === undefined) {
      await frame()
      if (key !== keys) return // which was not the last
      const shown = countShown()
      if (shown === undefined) continue
      window.probe.counted ??= performance.now() - timeStamp
      if (/^[0-9]|^No /.test(shown)) window.probe.countedExactly = performance.now() - timeStamp
    }
  },
  { capture: true },
)
