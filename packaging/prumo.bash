# SPDX-License-Identifier: ISC
# Completion for bash. Commands and options come from prumo's own help, so
# there is no second list that could grow old.

_prumo() {
	local cur=$2 prev=$3 cmd=${COMP_WORDS[1]} prumo=${COMP_WORDS[0]}

	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "--help --version $(LC_ALL=C \
			"$prumo" --help 2>/dev/null |
			sed -n 's/^  \([a-z]*\) .*/\1/p')" -- "$cur")
		return
	fi
	case $prev in
	-o | --output) mapfile -t COMPREPLY < <(compgen -W "text json" -- "$cur")
		return ;;
	--alg | --nat) mapfile -t COMPREPLY < <(compgen -W "on off" -- "$cur")
		return ;;
	--range) mapfile -t COMPREPLY < <(compgen -W \
		"auto sk_lookup tproxy sockets" -- "$cur")
		return ;;
	--color) mapfile -t COMPREPLY < <(compgen -W "auto always never" -- "$cur")
		return ;;
	--cert | --key | --secret-file | --capture)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return ;;
	--in) mapfile -t COMPREPLY < <(compgen -W "client server r1 r2" -- "$cur")
		return ;;
	--scenario) mapfile -t COMPREPLY < <(
		compgen -W "$(LC_ALL=C "$prumo" lab list 2>/dev/null |
			sed 's/ .*//')" -- "$cur"
		compgen -f -X '!*.yaml' -- "$cur")
		return ;;
	--edge | --server) mapfile -t COMPREPLY < <(compgen -A hostname -- "$cur")
		return ;;
	esac
	case $cur in
	-*) mapfile -t COMPREPLY < <(compgen -W "$(LC_ALL=C "$prumo" "$cmd" \
		--help 2>/dev/null | grep '^ *-' |
		grep -oE -- '(^|[ ,])--?[A-Za-z0-9][A-Za-z0-9-]*' |
		tr -d ' ,')" -- "$cur") ;;
	*) mapfile -t COMPREPLY < <(
		[ "$cmd" = profile ] && [ "$COMP_CWORD" -eq 2 ] &&
			compgen -W "list show lint" -- "$cur"
		[ "$cmd" = lab ] && {
			[ "$COMP_CWORD" -eq 2 ] &&
				compgen -W "list show run shell" -- "$cur"
			compgen -W "$(LC_ALL=C "$prumo" lab list 2>/dev/null |
				sed 's/ .*//')" -- "$cur"
		}
		compgen -W "$(LC_ALL=C "$prumo" profile list \
			2>/dev/null | sed 's/ .*//')" -- "$cur"
		compgen -f -X '!*.yaml' -- "$cur") ;;
	esac
}
complete -o filenames -F _prumo prumo
