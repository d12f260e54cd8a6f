# Dates. Not `date`, which differs between systems and reads `now` and `sat`. SPDX-License-Identifier: MIT

days() { # YEAR MONTH DAY: days since 1970, in the proleptic Gregorian calendar
  local y=$(($2 > 2 ? $1 : $1 - 1)) m=$((($2 + 9) % 12))
  REPLY=$((365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + $3 - 1 - 719468))
}

date_text() { # SECONDS MILLISECONDS: the milliseconds may be empty
  local second=$1 day rest era day_of_era year_of_era day_of_year m year
  ((second >= -62135596800 && second <= 253402300799)) || refuse cannot_sign || return
  day=$(((second + 62135596800) / 86400 - 719162)) rest=$(((second + 62135596800) % 86400))
  era=$(((day + 719468) / 146097)) day_of_era=$(((day + 719468) % 146097))
  year_of_era=$(((day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365))
  day_of_year=$((day_of_era - 365 * year_of_era - year_of_era / 4 + year_of_era / 100))
  m=$(((5 * day_of_year + 2) / 153)) year=$((400 * era + year_of_era))
  printf -v REPLY '%04d-%02d-%02dT%02d:%02d:%02d%sZ' $((m < 10 ? year : year + 1)) $((m < 10 ? m + 3 : m - 9)) \
    $((day_of_year - (153 * m + 2) / 5 + 1)) $((rest / 3600)) $((rest / 60 % 60)) $((rest % 60)) "${2:+.$2}"
}

iso_day='([0-9]{4})-([0-9]{2})-([0-9]{2})' iso_time='([0-9]{2}):([0-9]{2})(:([0-9]{2})(\.[0-9]+)?)?'
iso_zone='(Z|([+-])([0-9]{2})(:?([0-9]{2}))?)'
basic='([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})'
rfc_5322='(([A-Z][a-z]{2}), )?([0-9]{1,2}) ([A-Z][a-z]{2}) ([0-9]{4}) ([0-9]{2}):([0-9]{2})(:([0-9]{2}))?'
rfc_5322+=' (GMT|UTC|([+-])([0-9]{2})([0-9]{2}))'
# Each form with its groups: year, month, day, hour, minute, second, then sign, hour and minute of the zone, then weekday.
date_forms=(
  "^${iso_day}T$iso_time$iso_zone\$" '1 2 3 4 5 7 10 11 13'
  "^$iso_day $iso_time( UTC| ?$iso_zone)\$" '1 2 3 4 5 7 11 12 14'
  "^$basic$iso_zone\$" '1 2 3 4 5 6 8 9 11'
  "^$rfc_5322\$" '5 4 3 6 7 9 11 12 13 2'
)

date_seconds() { # TEXT: fails where it is in none of the forms that are read; what is finer than a second is cut off
  local months=JanFebMarAprMayJunJulAugSepOctNovDec weekdays=ThuFriSatSunMonTueWed
  local i group found=() year month day hour minute second sign zone_hour zone_minute weekday last at
  for ((i = 0; i < ${#date_forms[@]}; i += 2)); do
    [[ $1 =~ ${date_forms[i]} ]] || continue
    for group in ${date_forms[i + 1]}; do found+=("${BASH_REMATCH[group]}"); done
    break
  done
  ((${#found[@]})) || return
  if [[ ${found[1]} == [A-Z]* ]]; then # a name, which is none where it does not stand at a third letter
    month=${months%%"${found[1]}"*}
    ((${#month} % 3 == 0)) || return
    found[1]=$((${#month} / 3 + 1))
  fi
  year=10#${found[0]} month=10#${found[1]} day=10#${found[2]}
  hour=10#${found[3]} minute=10#${found[4]} second=10#${found[5]:-0}
  sign=${found[6]} zone_hour=10#${found[7]:-0} zone_minute=10#${found[8]:-0} weekday=${found[9]-}
  ((year >= 1 && month >= 1 && month <= 12 && day >= 1)) || return
  days $((month == 12 ? year + 1 : year)) $((month % 12 + 1)) 1
  last=$REPLY
  days $((year)) $((month)) $((day))
  ((REPLY < last && hour <= 23 && minute <= 59 && second <= 59 && zone_hour <= 23 && zone_minute <= 59)) || return
  at=$REPLY
  [[ -z $weekday || ${weekdays:3*((at % 7 + 7) % 7):3} == "$weekday" ]] || return
  REPLY=$((at * 86400 + hour * 3600 + minute * 60 + second - (${sign}1) * (zone_hour * 3600 + zone_minute * 60)))
}
