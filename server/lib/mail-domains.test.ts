import assert from 'node:assert/strict'
import { test } from 'node:test'
import { suggestDomain } from './mail-domains.ts'

test('likely misspelt domains are suggested the one that was meant', () => {
  const meant = {
    'gmail.com': [
      'gmial.com',
      'gamil.com',
      'gmai.com',
      'gmaill.com',
      'gmail.con',
      'gmail.co',
      'gmail.cm',
      'gnail.com',
      'gmail.comm',
    ],
    'yahoo.com': ['yaho.com', 'yahooo.com', 'yhaoo.com', 'yahoo.con'],
    'hotmail.com': ['hotmial.com', 'hotnail.com', 'hotmai.com', 'hotmaill.con'],
    'outlook.com': ['outlok.com', 'outloook.com', 'outlook.cmo'],
    'icloud.com': ['iclould.com', 'icoud.com'],
    't-online.de': ['t-onlne.de', 't-onlien.de'],
    'gmx.de': ['gxm.de'],
    'web.de': ['wbe.de'],
    'googlemail.com': ['googelmail.com', 'goglemail.con'],
  }
  for (const [domain, typos] of Object.entries(meant))
    for (const typo of typos) assert.equal(suggestDomain(typo), domain, typo)
})

test('a domain that is a known one itself is never suspected', () => {
  for (const domain of [
    'gmail.com',
    'mail.com',
    'email.com',
    'ymail.com',
    'gmx.net',
    'gmx.at',
    'live.de',
    'bol.com',
    'mac.com',
    'me.com',
    'hotmail.fr',
  ])
    assert.equal(suggestDomain(domain), null, domain)
})

test('other domains are left alone', () => {
  for (const domain of [
    'example.com',
    'rollcall.dev',
    'gmx.se',
    'wen.de',
    'max.com',
    'a.de',
    '',
    'x'.repeat(253),
    'webb.de',
    'gmal.example.com',
    'company.co.uk',
  ])
    assert.equal(suggestDomain(domain), null, domain)
})
