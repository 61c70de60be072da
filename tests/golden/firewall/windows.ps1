# Windows 10, 11 and Server: run in PowerShell as administrator.
#
# Windows lets programs send unless the default for outbound traffic is Block:
#     Get-NetFirewallProfile | Format-Table Name, DefaultOutboundAction
# These rules are needed only then. Windows has no SIP ALG and no session time
# to set: both belong to the router. Rules for host names need Windows 11 or
# Windows 10 22H2, and network protection in Microsoft Defender.
$ErrorActionPreference = 'Stop'
Remove-NetFirewallRule -Group 'Prumo' -ErrorAction SilentlyContinue
New-NetFirewallRule -Group 'Prumo' -DisplayName 'SIP ???; Remove-Item C:\ ''' `
    -Direction Outbound -Action Allow -Enabled True -Protocol TCP `
    -RemotePort '5060-5061', '5080' `
    -RemoteAddress '192.0.2.1' | Out-Null
New-NetFirewallRule -Group 'Prumo' -DisplayName 'SIP ???; Remove-Item C:\ ''' `
    -Direction Outbound -Action Allow -Enabled True -Protocol UDP `
    -RemotePort '5060-5061', '5080' `
    -RemoteAddress '192.0.2.1' | Out-Null
New-NetFirewallDynamicKeywordAddress -Id '{7e25a5df-47eb-8f18-af01-fa73b32b60d7}' -Keyword 'web.example.net' -AutoResolve $true -ErrorAction SilentlyContinue | Out-Null
New-NetFirewallRule -Group 'Prumo' -DisplayName 'web-1' `
    -Direction Outbound -Action Allow -Enabled False -Protocol TCP `
    -RemotePort '5060-5061', '5080' `
    -RemoteDynamicKeywordAddresses '{7e25a5df-47eb-8f18-af01-fa73b32b60d7}' | Out-Null
New-NetFirewallRule -Group 'Prumo' -DisplayName 'web-1' `
    -Direction Outbound -Action Allow -Enabled False -Protocol UDP `
    -RemotePort '5060-5061', '5080' `
    -RemoteDynamicKeywordAddresses '{7e25a5df-47eb-8f18-af01-fa73b32b60d7}' | Out-Null
New-NetFirewallRule -Group 'Prumo' -DisplayName 'v6' `
    -Direction Outbound -Action Allow -Enabled True -Protocol TCP `
    -RemotePort '5060-5061', '5080' `
    -RemoteAddress '2001:db8::/64' `
    -InterfaceAlias 'Ethernet 2' | Out-Null
New-NetFirewallRule -Group 'Prumo' -DisplayName 'v6' `
    -Direction Outbound -Action Allow -Enabled True -Protocol UDP `
    -RemotePort '5060-5061', '5080' `
    -RemoteAddress '2001:db8::/64' `
    -InterfaceAlias 'Ethernet 2' | Out-Null
Add-MpPreference -ExclusionPath 'C:\Program Files\App'

# Undo:
#     Remove-NetFirewallRule -Group 'Prumo'
#     Remove-NetFirewallDynamicKeywordAddress -Id '{7e25a5df-47eb-8f18-af01-fa73b32b60d7}'
#     Remove-MpPreference -ExclusionPath 'C:\Program Files\App'
