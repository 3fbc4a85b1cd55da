# Reference numbers of tests/gaps/scores/test_raking.py (R 4.2, survey 4.1). Run in this folder:
# Rscript raking.R. apiclus1.csv holds six columns of the data `apiclus1` of R's survey package
# (Academic Performance Index of Californian schools in 2000, California Department of Education,
# public; package GPL): 183 schools of 15 districts out of 757.
library(survey)
options(digits = 12)
schools <- read.csv("apiclus1.csv")
stype <- data.frame(stype = c("E", "H", "M"), Freq = c(4421, 755, 1018))
wide <- data.frame(sch.wide = c("No", "Yes"), Freq = c(1072, 5122))
totals <- c(`(Intercept)` = 6194, stypeH = 755, stypeM = 1018, sch.wideYes = 5122)
schools$pw <- 6194 / 183
schools$fpc <- 757
for (design in list(svydesign(id = ~dnum, weights = ~pw, data = schools, fpc = ~fpc),
                    svydesign(id = ~dnum, weights = ~pw, data = schools))) {
  print(svymean(~api00, design))
  raked <- calibrate(design, ~stype + sch.wide, totals, calfun = "raking", epsilon = 1e-12)
  print(coef(svymean(~api00, raked)), digits = 12); print(SE(svymean(~api00, raked)))
}

# unequal weights to start from, no clusters, and a domain
schools$sw <- 10 + (seq_len(183) * 7) %% 23
design <- svydesign(id = ~1, weights = ~sw, data = schools)
print(SE(svymean(~api00, design)))
raked <- calibrate(design, ~stype + sch.wide, totals, calfun = "raking", epsilon = 1e-12)
print(coef(svymean(~api00, raked))); print(SE(svymean(~api00, raked)))
print(svyby(~api00, ~awards, raked, svymean))
print(weights(raked)[1:5])

# G. Kalton, I. Flores-Cervantes (2003), as in survey's tests/kalton.R
ab <- expand.grid(a = factor(1:4), b = factor(1:3))
sample.ab <- c(20, 50, 100, 30, 40, 140, 50, 100, 40, 310, 50, 70)
pop <- c(80, 60, 170, 55, 40, 150, 60, 165, 55, 340, 200, 125)
people <- ab[rep(1:12, sample.ab), ]
people$y <- (seq_len(1000) * 37) %% 11
a <- data.frame(a = factor(1:4), Freq = tapply(pop, ab$a, sum))
b <- data.frame(b = factor(1:3), Freq = tapply(pop, ab$b, sum))
raked <- rake(svydesign(id = ~1, weights = ~1, data = people), list(~a, ~b), list(a, b),
              control = list(maxit = 500, epsilon = 1e-10))
print(tapply(weights(raked), list(people$a, people$b), mean)); print(SE(svymean(~y, raked)))
people$d <- 1 + seq_len(1000) %% 3
totals <- c(sum(pop), a$Freq[-1], b$Freq[-1])
names(totals) <- c("(Intercept)", "a2", "a3", "a4", "b2", "b3")
raked <- calibrate(svydesign(id = ~1, weights = ~d, data = people), ~a + b, totals,
                   calfun = "raking", epsilon = 1e-12)
print(coef(svymean(~y, raked))); print(SE(svymean(~y, raked)))
