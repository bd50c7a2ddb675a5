# What RPM packages an image has: a line `name TAB epoch TAB version-release TAB architecture TAB licence TAB source` for
# each, then "@@", then every file that one of them owns.
set -e
rpm -qa --qf '%{NAME}\t%|EPOCH?{%{EPOCH}}:{}|\t%{VERSION}-%{RELEASE}\t%{ARCH}\t%{LICENSE}\t%{SOURCERPM}\n'
echo @@
rpm -qal
