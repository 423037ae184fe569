# zsh -f zsh-completions.zsh DIRECTORY LINE: what zsh offers behind a line, one a row. DIRECTORY holds _rollcall.
# Completion of zsh works in its line editor alone, so another zsh is given a terminal and a Tab.
zmodload zsh/zpty
zpty shell zsh -f -i

until_ready() {
  local said
  while zpty -r shell said; do [[ $said == *$'\0READY\0'* ]] && return; done
}

zpty -w shell "PS1=; fpath=($1 \$fpath); autoload -Uz compinit; compinit -u -D; bindkey '^I' complete-word
ready() { print -r -- \$'\\0READY\\0' }
leave() { exit }
compprefuncs=(ready) comppostfuncs=(leave)
compadd() {
  if [[ \${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]]; then builtin compadd \"\$@\"; return; fi
  local -a offered
  builtin compadd -A offered \"\$@\"
  for word in \$offered; do print -r -- \"OFFERED \$word\"; done
}
ready"
until_ready
zpty -w -n shell "$2"$'\t'
while zpty -r shell said; do print -r -- "$said"; done | sed -n 's/.*OFFERED //p' | tr -d '\r'
