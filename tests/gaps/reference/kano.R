# Kano categories of the kiosk study, from the survey tool's own export (see its SOURCE.md).
# Rscript tests/gaps/reference/kano.R ../shared/data/kiosk/kiosk_raw_cp949_original.csv
path <- commandArgs(TRUE)[1]
con <- file(path, encoding = "CP949")
d <- read.csv(con, check.names = FALSE, colClasses = "character")
d <- d[d[[3]] != "사용한 적 없음", ]                       # drop the four who never used one
codes <- c("마음에 든다." = 1, "당연하다." = 2, "아무런 느낌이 없다." = 3, "하는 수 없다." = 4,
           "마음에 안 든다." = 5)
kano <- grep("느낌이 들겠습니까", names(d))
name <- sub("\\. .*", "", sub("^([0-9]+-[12])\\..*", "\\1", names(d)[kano]))
cat(nrow(d), "respondents,", length(kano), "columns\n")
evaluation <- matrix(c("Q", "A", "A", "A", "O", "R", "I", "I", "I", "M", "R", "I", "I", "I", "M",
                       "R", "I", "I", "I", "M", "R", "R", "R", "R", "Q"), 5, byrow = TRUE)
for (i in 1:29) {
  f <- codes[d[[kano[name == paste0(i, "-1")]]]]
  k <- codes[d[[kano[name == paste0(i, "-2")]]]]
  cat(i, table(factor(evaluation[cbind(f, k)], levels = c("M", "O", "A", "I", "R", "Q"))), "\n")
}
