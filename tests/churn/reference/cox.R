# Numbers of tests/churn/hazard/test_cox.py, test_baseline.py and test_periods.py.
# R 4.2.2, survival 3.5-3:  Rscript cox.R
library(survival)
options(digits = 12)
exact <- coxph.control(eps = 1e-11) # R's default stops at eight digits
show <- function(name, fit) {
  cat("\n#", name, "\n")
  print(unname(coef(fit)))
  print(unname(sqrt(diag(vcov(fit)))))
  print(fit$loglik)
}

# heart: stretches of the waiting list and after (Crowley and Hu 1977), as in survival::heart;
# ids as in the package, ages less 48
write.csv(heart, "heart.csv", row.names = FALSE)
write.csv(jasa1, "jasa1.csv", row.names = FALSE)
write.csv(lung, "lung.csv", row.names = FALSE, na = "")

test1 <- data.frame(time = c(1, 1, 6, 6, 8, 9), status = c(1, 0, 1, 1, 0, 1), x = c(1, 1, 1, 0, 0, 0))
test2 <- data.frame(
  start = c(1, 2, 5, 2, 1, 7, 3, 4, 8, 8), stop = c(2, 3, 6, 7, 8, 9, 9, 9, 14, 17),
  event = c(1, 1, 1, 1, 1, 1, 1, 0, 0, 0), x = c(1, 0, 0, 1, 0, 1, 1, 1, 0, 0)
)
test3 <- data.frame(
  time = c(1, 1, 2, 2, 2, 2, 3, 4, 5), status = c(1, 0, 1, 1, 1, 0, 0, 1, 0),
  x = c(2, 0, 1, 1, 0, 1, 0, 1, 0), w = c(1, 2, 3, 4, 3, 2, 1, 2, 1)
)
for (ties in c("efron", "breslow")) {
  show(paste("test1", ties), coxph(Surv(time, status) ~ x, test1, ties = ties, control = exact))
  show(paste("test2", ties), coxph(Surv(start, stop, event) ~ x, test2, ties = ties, control = exact))
  show(paste("test3", ties), coxph(Surv(time, status) ~ x, test3, weights = w, ties = ties, control = exact))
  show(paste("lung", ties), coxph(Surv(time, status) ~ age + sex, lung, ties = ties, control = exact))
  show(paste("lung robust", ties), coxph(Surv(time, status) ~ age + sex, lung, ties = ties, robust = TRUE, control = exact))
  show(paste("lung strata", ties), coxph(Surv(time, status) ~ age + ph.ecog + strata(sex), lung, ties = ties, control = exact))
  show(paste("lung cluster", ties), coxph(Surv(time, status) ~ age + sex, lung, ties = ties, cluster = inst, control = exact))
  show(paste("lung ridge", ties), coxph(Surv(time, status) ~ ridge(age, sex, theta = 10), lung, ties = ties, control = exact))
  show(paste("heart", ties), coxph(Surv(start, stop, event) ~ age + surgery + transplant, heart, ties = ties, control = exact))
  # weights, strata, cluster and late entry at once
  show(paste("heart all", ties), coxph(Surv(start, stop, event) ~ age + transplant + strata(surgery), heart,
    ties = ties, weights = 1 + id %% 3, cluster = id, control = exact))
}
show("jasa1", coxph(Surv(start, stop, event) ~ (age + surgery) * transplant, jasa1, ties = "breslow", control = exact))

# baseline: cumulative hazard and its standard error for two patients
patients <- data.frame(age = c(-10, 5.5), surgery = c(0, 1), transplant = factor(c(1, 0), levels = 0:1))
for (ties in c("efron", "breslow")) {
  fit <- coxph(Surv(start, stop, event) ~ age + surgery + transplant, heart, ties = ties, control = exact)
  curve <- summary(survfit(fit, patients), times = c(30, 90, 365, 1000))
  cat("\n# heart baseline", ties, "\n")
  print(curve$cumhaz)
  print(survfit(fit, patients)$std.err[findInterval(c(30, 90, 365, 1000), survfit(fit, patients)$time), ])
}
fit <- coxph(Surv(start, stop, event) ~ age + transplant + strata(surgery), heart, weights = 1 + id %% 3, control = exact)
cat("\n# heart baseline, strata and weights\n")
for (patient in 1:2) { # each in the stratum of his own
  curve <- survfit(fit, patients)[patient]
  at <- findInterval(c(30, 90, 365), curve$time)
  print(curve$cumhaz[at])
  print(curve$std.err[at])
}

# ratios by period of age, one term at a time, and Wald's test that they are equal
pieces <- survSplit(Surv(time, status) ~ age + sex, lung, cut = c(180, 365), episode = "period")
pieces$period <- factor(pieces$period)
for (form in c("sex:period + age", "age:period + sex")) {
  fit <- coxph(as.formula(paste("Surv(tstart, time, status) ~", form)), pieces, control = exact)
  own <- grep("period", names(coef(fit)))
  b <- coef(fit)[own]
  v <- vcov(fit)[own, own]
  contrast <- cbind(-1, diag(2))
  gap <- contrast %*% b
  cat("\n# lung by period", form, "\n")
  print(unname(b))
  print(unname(sqrt(diag(v))))
  print(drop(t(gap) %*% solve(contrast %*% v %*% t(contrast), gap)))
}
