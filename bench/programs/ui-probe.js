// Runs in the page that is measured, before its own scripts: what only a page can see of itself.
// Times are in ms since the navigation began.
window.probe = {
  /** When the first contact was on the screen, and the frame with it had been drawn. */
  firstRow: undefined,
  /** When the last change of the table so far had been drawn. */
  painted: 0,
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
  rows: () => document.querySelectorAll('[role="row"] a').length,
  /**
   * Scrolls as fast as frames come until so many rows have gone by or the end is reached; answers the longest time, in ms,
   * in which no row stood in the middle of the table, and how many rows went by.
   */
  scroll: async (wanted, rowPx) => {
    const box = document.querySelector('[role="table"] [role="rowgroup"]')
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve))
    const { left, top, height } = box.getBoundingClientRect()
    let blankSince
    let longest = 0
    let stuck = 0
    while (box.scrollTop < wanted * rowPx && stuck < 600) {
      const before = box.scrollTop
      box.scrollTop += height
      stuck = box.scrollTop === before ? stuck + 1 : 0
      await frame()
      const seen = document.elementFromPoint(left + 120, top + height / 2)?.closest('[role="row"]')
      const now = performance.now()
      if (seen) blankSince = undefined
      else {
        blankSince ??= now
        longest = Math.max(longest, now - blankSince)
      }
    }
    return { longest, rows: Math.round(box.scrollTop / rowPx) }
  },
}

new MutationObserver((changes) => {
  if (!changes.some(({ target }) => target instanceof Element && target.closest('main'))) return
  requestAnimationFrame(() =>
    setTimeout(() => {
      window.probe.painted = performance.now()
      if (window.probe.firstRow === undefined && window.probe.rows() > 0) window.probe.firstRow = performance.now()
    }),
  )
}).observe(document, { childList: true, subtree: true, characterData: true })
