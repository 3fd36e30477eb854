#!/bin/sh
# a short command starts quickly: nothing is set up that it does not need.
. "${0%/*}/lib/tap.sh"

test_case 'libgit2 reads no certificates: its call for them ends in our own program' '
	new_repo
	LD_DEBUG=bindings exits 128 git-harness status 2>bound
	grep "mbedtls_x509_crt_parse_file" bound >calls || skip "libgit2 was built without mbedTLS"
	grep "to [^ ]*git-harness " calls
'
test_done
