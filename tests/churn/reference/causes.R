# Numbers of tests/churn/causes; R 4.2.2, survival 3.5-3, cmprsk 2.2-11.
# Run in this folder: Rscript causes.R
library(survival)
library(cmprsk)
options(digits = 12)

# mgus2.csv: 1,384 people with a gammopathy, from the package survival (Kyle et al. 2002, N Engl J
# Med 346, 564-569); months to a plasma-cell malignancy (1) or death (2), else 0.
mgus <- with(mgus2, data.frame(id, months = ifelse(pstat == 0, futime, ptime),
                               event = ifelse(pstat == 0, 2 * death, 1),
                               age, female = 1 * (sex == "F"), year = dxyr))
write.csv(mgus, "mgus2.csv", row.names = FALSE, quote = FALSE)

# Many ties, three groups, by arithmetic, so that both languages can make it
i <- 1:120
ties <- data.frame(id = i, time = (i * 37) %% 23 + 1 + 5 * (i %% 3), event = (i * i + i %/% 7) %% 4 %% 3,
                   group = letters[i %% 3 + 1], entry = 0)
late <- transform(ties, entry = ifelse(i %% 4 == 0, time %/% 3, 0))

incidence <- function(data, at) {
  fit <- survfit(Surv(entry, time, factor(event, 0:2)) ~ 1, data, id = id)
  with(summary(fit, times = at), print(cbind(time, pstate, std.err)))
}
cat("incidence, ties\n");       incidence(ties, c(1, 5, 12, 32))
cat("incidence, late entry\n"); incidence(late, c(1, 5, 12, 32))
cat("incidence, mgus2\n")
with(summary(survfit(Surv(months, factor(event, 0:2)) ~ 1, mgus), times = c(12, 120, 360)),
     print(cbind(time, pstate, std.err)))

cat("Gray, ties\n");          print(cuminc(ties$time, ties$event, ties$group)$Tests)
for (pair in list(c("a", "b"), c("a", "c"), c("b", "c"))) {
  part <- ties[ties$group %in% pair, ]
  cat("Gray", pair, "\n");    print(cuminc(part$time, part$event, part$group)$Tests)
}
cat("Gray, mgus2 by sex\n");  print(with(mgus, cuminc(months, event, female)$Tests))
cat("log-rank of cause 1\n")
print(survdiff(Surv(time, event == 1) ~ group, ties)$chisq)
print(survdiff(Surv(months, event == 1) ~ female, mgus)$chisq)

fine_gray <- function(rows, formula) {
  fit <- coxph(formula, rows, weights = fgwt, cluster = id)
  print(cbind(estimate = coef(fit), robust = sqrt(diag(vcov(fit))),
              naive = sqrt(diag(fit$naive.var))))
}
cat("Fine-Gray, mgus2\n")
rows <- finegray(Surv(months, factor(event, 0:2)) ~ age + female + id, mgus, etype = "1")
fine_gray(rows, Surv(fgstart, fgstop, fgstatus) ~ age + female)
rows <- finegray(Surv(months, factor(event, 0:2)) ~ age + female + id, mgus, etype = "2")
fine_gray(rows, Surv(fgstart, fgstop, fgstatus) ~ age + female)

cat("Fine-Gray, mgus2 on the age scale: late entry\n")
ages <- transform(mgus, start = 12 * age, end = 12 * age + months)
rows <- finegray(Surv(start, end, factor(event, 0:2)) ~ female + year + who,
                 transform(ages, who = id), id = id, etype = "1")
rows$id <- rows$who
fine_gray(rows, Surv(fgstart, fgstop, fgstatus) ~ female + year)

cat("Fine-Gray, two lifetimes a customer\n")
rows <- finegray(Surv(months, factor(event, 0:2)) ~ age + female + id, mgus, etype = "1")
fit <- coxph(Surv(fgstart, fgstop, fgstatus) ~ age + female, rows, weights = fgwt,
             cluster = id %/% 2)
print(sqrt(diag(vcov(fit))))

cat("crr, no ties\n")
j <- 1:400
single <- data.frame(x = (j * 31) %% 17, z = j %% 2, event = (j * j) %% 7 %% 3)
single$time <- (j * 173) %% 401 + 401 * ((single$x + 8 * single$z) %/% 12)
fit <- crr(single$time, single$event, single[c("x", "z")], maxiter = 50, gtol = 1e-10)
print(fit$coef)
rows <- finegray(Surv(time, factor(event, 0:2)) ~ x + z, transform(single, id = j), etype = "1")
print(coef(coxph(Surv(fgstart, fgstop, fgstatus) ~ x + z, rows, weights = fgwt)))

cat("finegray weights of the 14 rows of survival/tests/finegray.R\n")
time <- c(1, 2, 3, 4, 4, 4, 5, 5, 6, 8, 8, 9, 10, 12)
status <- c(1, 2, 0, 1, 0, 0, 2, 1, 0, 0, 2, 0, 1, 0)
start <- c(0, 0, 0, 3, 2, 0, 0, 1, 0, 7, 5, 0, 0, 0)
few <- data.frame(id = 1:14, start, time, event = factor(status, 0:2))
print(subset(finegray(Surv(time, event) ~ id, few), id %in% c(2, 7, 11)))
print(subset(finegray(Surv(start, time, event) ~ x, transform(few, x = 1:14), id = id),
             x %in% c(2, 7, 11)))

cat("Cox by cause, mgus2\n")
print(coef(summary(coxph(Surv(months, event == 1) ~ age + female, mgus)))[, c(1, 3)])
